#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include <effnet/backend/profiled_backend.hpp>
#include <effnet/cpu.hpp>
#include <effnet/nn/network.hpp>
#include <effnet/resnet.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "../../benchmarks/network_ops.hpp"
#include "../oracle_fill.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

using profiled = profiled_backend<cpu_backend>;
static_assert(fuses_mbconv<profiled> && !runs_groups_apart<profiled>);

/// Two blocks a stage, which every kind of layer is among.
network_spec shortened(network_spec spec) {
  for (stage_spec& row : spec.stages) row.repeats = std::min(row.repeats, 2);
  return with_classes(spec, 10);
}
}  // namespace

TEST_CASE("nn: a profiled session agrees bit for bit with a plain one") {
  const network_spec spec = shortened(v2_b0);
  const weights from = oracle_weights(spec, convention_for(convention_name::tf, spec));
  const auto profile = std::make_shared<op_profile>();
  auto plain = dynamic_network<cpu_backend>(from).make_session({.threads = 2});
  auto session =
      dynamic_network<profiled>(from, {cpu_backend(2), profile}).make_session({.threads = 2});
  const shape4 shape{2, 64, 48, 3};
  const std::vector<float> images = oracle_images(shape);
  for (int pass = 0; pass < 2; ++pass) {
    // A profile is of passes over whole batches, as observers see them.
    const const_tensor_view expected =
        plain.run({images.data(), shape}, [](std::string_view, const const_tensor_view&) {}).logits;
    const const_tensor_view got = session.run({images.data(), shape}).logits;
    CHECK(std::equal(got.data, got.data + got.shape.elements(), expected.data));
  }
  CHECK(session.memory_bytes() == plain.memory_bytes());
  for (const op_record& op : profile->ops()) CHECK(op.seconds.size() == 2);
}

TEST_CASE("nn: the convolutions that benchmarks time are those that sessions run") {
  for (const network_spec& full : {b0, v2_s, resnet50}) {
    const network_spec spec = shortened(full);
    CAPTURE(spec.name.text);
    const weights from = oracle_weights(spec, convention_for(convention_name::tf, spec));
    const auto profile = std::make_shared<op_profile>();
    auto session = dynamic_network<profiled>(from, {cpu_backend(1), profile}).make_session();
    const std::vector<float> images = oracle_images({1, 64, 64, 3});
    session.run({images.data(), {1, 64, 64, 3}});

    std::vector<const op_plan*> run;
    for (const op_record& op : profile->ops())
      if (op.plan) run.push_back(op.plan.get());
    std::ranges::sort(run, {}, &op_plan::first);  // a bottleneck's layers run in another order
    std::vector<planned_conv> convs;
    for (const op_plan* plan : run)
      convs.insert(convs.end(), plan->convs.begin(), plan->convs.end());

    std::vector<network_conv> expected;
    for_each_layer(spec, 64, 64, [&](const layer& l) {
      expected.push_back({.layer = row_name(l),
                          .problem = problem_of(l, from.rule.padding, {1, l.src_h, l.src_w, l.in}),
                          .then = epilogue_of(spec, l)});
    });
    REQUIRE(convs.size() == expected.size());
    for (std::size_t i = 0; i < convs.size(); ++i) {
      CAPTURE(expected[i].layer);
      CHECK(convs[i].problem == expected[i].problem);
      CHECK(convs[i].then == expected[i].then);
    }

    // The other ops that run: this backend fuses all activations, so that one alone is a copy.
    const auto timed = distinct_ops(spec, 64, 1);
    for (const op_record& op : profile->ops()) {
      if (op.plan) continue;
      constexpr std::string_view kinds[] = {"-",           "activation", "add", "scale_channels",
                                            "global_pool", "max_pool"};
      CAPTURE(op.op);
      CHECK(std::ranges::any_of(timed, [&](const network_op& at) {
        return at.src == op.src && kinds[at.what] == op.op;
      }));
    }
  }
}

TEST_CASE("nn: benchmarks have each convolution of a network once, and count the others") {
  for (const network_spec& spec : {b0, v2_m}) {
    const auto convs = distinct_convs(spec, 224, 2, padding_rule::tf_same);
    int layers = 0;
    std::size_t macs = 0;
    for (const network_conv& at : convs) {
      layers += at.layers;
      macs += static_cast<std::size_t>(at.layers) * at.problem.macs();
    }
    CHECK(macs == 2 * static_cast<std::size_t>(count_macs(spec, 224)));
    CHECK(layers > static_cast<int>(convs.size()));
    CHECK(convs.front().layer == "stem");
    CHECK(convs.back().layer == "classifier");
  }
}
