#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <effnet/backend/profiled_backend.hpp>
#include <effnet/nn/network.hpp>
#include <effnet/reference.hpp>

#include "../oracle_fill.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

constexpr network_spec sample{
    .name = "sample",
    .stem = 8,
    .stages = {fused_mbconv{.repeats = 2, .expand = 1, .in = 8, .out = 8},
               mbconv{.repeats = 2, .stride = 2, .expand = 2, .in = 8, .out = 12, .se = 0.25f}},
    .head = 16,
    .classes = 5};

/// The reference with an optional feature and a kernel that says why it runs.
struct explaining_backend : reference_backend {
  struct conv : reference_backend::conv {
    epilogue then;
    std::string reason() const { return "nothing else is here"; }
  };
  explaining_backend with_threads(int) const { return *this; }
  conv plan_conv(const conv_problem& problem, const epilogue& then = {}) const {
    return {reference_backend::conv(problem), then};
  }
};

using profiled = profiled_backend<reference_backend>;
static_assert(backend<profiled> && !fuses_epilogues<profiled>);
static_assert(fuses_epilogues<profiled_backend<explaining_backend>>);

weights sample_weights() {
  return oracle_weights(sample, convention_for(convention_name::tf, sample));
}

struct profiled_run {
  std::shared_ptr<op_profile> profile = std::make_shared<op_profile>();
  session<profiled> on =
      dynamic_network<profiled>(sample_weights(), profiled({}, profile)).make_session();

  std::vector<float> logits(shape4 shape) {
    const std::vector<float> images = oracle_images(shape);
    const const_tensor_view view = on.run({images.data(), shape}).logits;
    return {view.data, view.data + view.shape.elements()};
  }
};
}  // namespace

TEST_CASE("backend: a profile changes no result") {
  const shape4 shape{2, 33, 40, 3};
  auto plain = dynamic_network<reference_backend>(sample_weights()).make_session();
  const std::vector<float> images = oracle_images(shape);
  const const_tensor_view expected = plain.run({images.data(), shape}).logits;
  CHECK(profiled_run().logits(shape) ==
        std::vector<float>(expected.data, expected.data + expected.shape.elements()));
}

TEST_CASE("backend: a profile has a row for every op, with a time for every pass") {
  profiled_run run;
  for (int pass = 0; pass < 3; ++pass) run.logits({1, 32, 32, 3});
  std::vector<std::string> ops;
  std::size_t macs = 0, convs = 0;
  for (const op_record& op : run.profile->ops()) {
    ops.emplace_back(op.op);
    CHECK(op.seconds.size() == 3);
    CHECK(op.median_seconds() > 0);
    macs += op.macs();
    if (op.plan) {
      CHECK(op.plan->first == convs++);  // in the order of the network's layers
      CHECK(op.plan->implementation == "reference");
      CHECK(op.plan->reason.empty());
      CHECK(op.src == op.plan->convs.front().problem.src);
      CHECK(op.dst == op.plan->convs.front().problem.dst());
    }
  }
  CHECK(macs == static_cast<std::size_t>(count_macs(sample, 32)));
  std::vector<std::string> expected{"conv", "activation"};  // the stem
  const auto add = [&](std::initializer_list<const char*> more) {
    expected.insert(expected.end(), more.begin(), more.end());
  };
  for (int i = 0; i < 2; ++i)  // the residual is copied into place, then added to
    add({"activation", "conv", "activation", "add"});
  for (int i = 0; i < 2; ++i) {
    add({"conv", "activation", "conv", "activation", "global_pool", "conv", "activation", "conv",
         "activation", "scale_channels", "conv"});
    if (i == 1) add({"add"});
  }
  add({"conv", "activation", "global_pool", "conv"});
  CHECK(ops == expected);
}

TEST_CASE("backend: another image size begins a profile again, and a warm-up can be forgotten") {
  profiled_run run;
  for (int pass = 0; pass < 2; ++pass) run.logits({1, 32, 32, 3});
  const std::size_t count = run.profile->ops().size();
  run.logits({1, 40, 40, 3});
  REQUIRE(run.profile->ops().size() == count);
  for (const op_record& op : run.profile->ops()) CHECK(op.seconds.size() == 1);
  CHECK(run.profile->ops().front().src == shape4{1, 40, 40, 3});
  CHECK(run.profile->ops().front().plan->first == 0);
  run.profile->forget_times();
  CHECK(run.profile->ops().size() == count);
  CHECK(run.profile->ops().front().median_seconds() == 0);
}

TEST_CASE("backend: a profile passes on optional features and reasons") {
  const auto profile = std::make_shared<op_profile>();
  const profiled_backend<explaining_backend> on({}, profile);
  const epilogue then{.before = activation::relu, .add_dst = true};
  const auto op = on.plan_conv({.src = {1, 4, 4, 3}, .out = 2, .pad = {}}, then);
  CHECK(op.then == then);
  CHECK(op.plan->convs.front().then == then);
  CHECK(op.plan->reason == "nothing else is here");
  CHECK(op.layout() == 0);
}

TEST_CASE("backend: the median of times") {
  CHECK(median({}) == 0);
  CHECK(median({3}) == 3);
  CHECK(median({9, 1, 5}) == 5);
  CHECK(median({9, 1, 5, 2}) == 3.5);
}
