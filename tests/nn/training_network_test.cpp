#include <doctest/doctest.h>

#include <limits>

#include <effnet/backend/gradient_check.hpp>
#include <effnet/nn/training_network.hpp>
#include <effnet/reference/reference_training_backend.hpp>

#include "../oracle_fill.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;
using net_type = training_network<reference_training_backend>;

/// Every kind of block, with and without squeeze-excite, shortcut and expansion.
network_spec mixed_table() {
  return {.name = "mixed",
          .stem = 6,
          .stages = {fused_mbconv{.repeats = 2, .expand = 1, .in = 6, .out = 6, .se = 0.5f},
                     fused_mbconv{.repeats = 2, .stride = 2, .expand = 2, .in = 6, .out = 8},
                     mbconv{.repeats = 2, .kernel = 5, .expand = 3, .in = 8, .out = 8, .se = 0.25f},
                     fused_mbconv{
                         .repeats = 1, .stride = 2, .expand = 1, .in = 8, .out = 10, .se = 0.5f},
                     mbconv{.repeats = 1, .expand = 1, .in = 10, .out = 10}},
          .head = 12,
          .classes = 5};
}
network_spec residual_table() {
  return {.name = "residual",
          .stem = 4,
          .stem_kernel = 7,
          .stem_pool = true,
          .stages = {bottleneck{.repeats = 2, .in = 4, .out = 8},
                     bottleneck{.repeats = 2, .stride = 2, .in = 8, .out = 12}},
          .head = 0,
          .classes = 5,
          .act = activation::silu};
}

/// No head convolution, and squeeze-excite's gate on what is pooled.
network_spec gated_end_table() {
  return {.name = "gated end",
          .stem = 6,
          .stages = {fused_mbconv{.repeats = 2, .expand = 1, .in = 6, .out = 6},
                     fused_mbconv{.stride = 2, .expand = 1, .in = 6, .out = 8, .se = 0.5f}},
          .head = 0,
          .classes = 5};
}

weights weights_of(const network_spec& spec) {
  return oracle_weights(spec, convention_for(convention_name::tf, spec));
}

struct small_batch {
  shape4 shape;
  std::vector<float> images, targets;

  explicit small_batch(int n = 4, int side = 33)
      : shape{n, side, side + 2, 3},
        images(oracle_images(shape)),
        targets(static_cast<std::size_t>(n) * 5) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      targets[i * 5 + i % 5] = 0.75f;
      targets[i * 5 + (i + 2) % 5] += 0.25f;
    }
  }
  training_batch all() const {
    return {.images = {images.data(), shape}, .targets = targets.data(), .smoothing = 0.1f};
  }
};

std::vector<std::vector<float>> gradients_of(net_type& net) {
  std::vector<std::vector<float>> copies;
  for (std::size_t i = 0; i < net.tensors().size(); ++i) {
    const std::span<const float> gradient = net.gradient(i);
    copies.emplace_back(gradient.begin(), gradient.end());
  }
  return copies;
}

void check_against_differences(const network_spec& spec, const training_settings& settings) {
  net_type net(weights_of(spec), {}, settings);
  const small_batch batch;
  training_batch step = batch.all();
  step.dropout = 0.3f, step.stochastic_depth = 0.5f, step.seed = 7;
  const std::vector<float> weights_of_classes = {1, 2, 0.5f, 1, 1.5f};
  step.class_weights = weights_of_classes.data();
  net.forward_backward(step);
  const auto gradients = gradients_of(net);
  for (std::size_t i = 0; i < net.tensors().size(); ++i) {
    if (!net.trained(i)) continue;
    CAPTURE(std::string_view(spec.name));
    CAPTURE(layer_text(net.tensors()[i].of));
    CAPTURE(static_cast<int>(net.tensors()[i].part));
    double scale = 0;
    for (float g : gradients[i]) scale = std::max(scale, std::abs(double{g}));
    // The maxima of the pooling change places: the loss has kinks close to each other.
    const bool kinked = spec.stem_pool && net.tensors()[i].of.role == layer_role::stem &&
                        net.tensors()[i].part == tensor_part::weight;
    const auto report = check_gradient(
        net.values(i), gradients[i],
        [&] {
          net.values_changed();
          return net.forward_backward(step);
        },
        kinked ? 3e-4 : 4e-3, 6);
    // Gradients that are zero by theory are rounding errors on both sides.
    CAPTURE(scale);
    if (scale > 1e-4) CHECK(report.largest_error < 2e-2);
  }
}
}  // namespace

TEST_CASE("nn: gradients of every kind of block agree with finite differences") {
  check_against_differences(mixed_table(), {});
  check_against_differences(residual_table(), {});
  check_against_differences(gated_end_table(), {});
}

TEST_CASE("nn: gradients with frozen batch norm agree with finite differences") {
  check_against_differences(mixed_table(), {.frozen_batch_norm = true});
}

TEST_CASE("nn: recomputed blocks give the same bits in less memory") {
  for (const network_spec& spec : {mixed_table(), residual_table(), gated_end_table()}) {
    const small_batch batch;
    training_batch step = batch.all();
    step.dropout = 0.2f, step.stochastic_depth = 0.4f;
    net_type keeps(weights_of(spec)), recomputes(weights_of(spec), {}, {.recompute_blocks = true});
    CHECK(keeps.forward_backward(step) == recomputes.forward_backward(step));
    CHECK(gradients_of(keeps) == gradients_of(recomputes));
    for (std::size_t i = 0; i < keeps.tensors().size(); ++i)
      CHECK(std::ranges::equal(keeps.values(i), recomputes.values(i)));
    CHECK(recomputes.plan(batch.shape).activations < keeps.plan(batch.shape).activations);
  }
}

TEST_CASE("nn: a repeated step gives the same bits, also after another image size") {
  const small_batch batch, larger(3, 50);
  net_type net(weights_of(mixed_table()), {}, {.frozen_batch_norm = true});
  const double loss = net.forward_backward(batch.all());
  const auto first = gradients_of(net);
  net.forward_backward(larger.all());
  CHECK(gradients_of(net) != first);
  CHECK(net.forward_backward(batch.all()) == loss);
  CHECK(gradients_of(net) == first);
}

TEST_CASE("nn: frozen stages get no gradients and keep their statistics") {
  const network_spec spec = mixed_table();
  const small_batch batch;
  net_type whole(weights_of(spec), {}, {.frozen_batch_norm = true});
  whole.forward_backward(batch.all());
  for (int frozen = 1; frozen <= 6; ++frozen) {
    CAPTURE(frozen);
    net_type part(weights_of(spec), {}, {.frozen_stages = frozen, .frozen_batch_norm = true});
    part.forward_backward(batch.all());
    for (std::size_t i = 0; i < part.tensors().size(); ++i) {
      const layer& of = part.tensors()[i].of;
      const bool in_front = of.role == layer_role::stem || (of.stage >= 0 && of.stage + 1 < frozen);
      CHECK(part.trained(i) == (whole.trained(i) && !in_front));
      if (part.trained(i)) CHECK(std::ranges::equal(part.gradient(i), whole.gradient(i)));
    }
    CHECK(part.plan(batch.shape).activations <= whole.plan(batch.shape).activations);
    if (frozen > 1)  // the peak may be elsewhere where the stem alone is frozen
      CHECK(part.plan(batch.shape).activations < whole.plan(batch.shape).activations);
  }
  net_type moving(weights_of(spec), {}, {.bn_momentum = 0.5f, .frozen_stages = 2});
  const net_type before(weights_of(spec));
  moving.forward_backward(batch.all());
  for (std::size_t i = 0; i < before.tensors().size(); ++i) {
    const tensor_spec& t = before.tensors()[i];
    const bool statistic =
        t.part == tensor_part::bn_running_mean || t.part == tensor_part::bn_running_var;
    const bool frozen = t.of.role == layer_role::stem || t.of.stage == 0;
    CHECK(std::ranges::equal(before.values(i), std::as_const(moving).values(i)) ==
          (!statistic || frozen));
  }
  CHECK_THROWS_WITH_AS(net_type(weights_of(spec), {}, {.frozen_stages = 7}),
                       doctest::Contains("expected 0 to 6"), spec_error);
}

TEST_CASE("nn: dropout and stochastic depth do not depend on how a batch is taken apart") {
  net_type net(weights_of(mixed_table()), {}, {.frozen_batch_norm = true});
  const small_batch batch;
  training_batch step = batch.all();
  step.dropout = 0.4f, step.stochastic_depth = 0.6f, step.seed = 3, step.step = 11;
  const double loss = net.forward_backward(step);
  const auto whole = gradients_of(net);
  training_batch half = step;
  half.images.shape.n = 2;
  const double first = net.forward_backward(half);
  const auto first_part = gradients_of(net);
  half.first_image = 2;
  half.images.data += batch.shape.elements() / 2;
  half.targets += 10;
  const double second = net.forward_backward(half);
  const auto second_part = gradients_of(net);
  CHECK(loss == doctest::Approx((first + second) / 2).epsilon(1e-6));
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (std::size_t k = 0; k < whole[i].size(); ++k) {
      const double mean = (double{first_part[i][k]} + double{second_part[i][k]}) / 2;
      CHECK(std::abs(mean - double{whole[i][k]}) < 1e-5 + 1e-4 * std::abs(mean));
    }
  step.step = 12;
  CHECK(net.forward_backward(step) != loss);
}

TEST_CASE("nn: survival falls from 1 at the first block, in equal steps") {
  CHECK(survival_of(0, 16, 0.2) == 1);
  CHECK(survival_of(8, 16, 0.2) == doctest::Approx(0.9));
  std::vector<float> keep(16 * 1000);
  draw_kept_blocks(1, 2, 0, 1000, 16, 0.5f, keep);
  for (std::size_t block : {0u, 8u, 15u}) {
    double sum = 0;
    for (std::size_t i = 0; i < 1000; ++i) sum += double{keep[block * 1000 + i]};
    CHECK(sum / 1000 == doctest::Approx(1).epsilon(0.1));
  }
}

TEST_CASE("nn: the first layer that is not finite is named, and statistics stay") {
  net_type net(weights_of(mixed_table()));
  const small_batch batch;
  std::size_t broken = 0, statistic = 0;
  for (std::size_t i = 0; i < net.tensors().size(); ++i) {
    const tensor_spec& t = net.tensors()[i];
    if (t.of.role == layer_role::depthwise && t.part == tensor_part::weight && broken == 0)
      broken = i;
    if (t.part == tensor_part::bn_running_mean && t.of.role == layer_role::head) statistic = i;
  }
  CHECK(net.first_non_finite() == "");
  const float before = net.values(statistic)[0];
  net.values(broken)[0] = std::numeric_limits<float>::infinity();
  net.values_changed();
  CHECK(!std::isfinite(net.forward_backward(batch.all())));
  CHECK(net.first_non_finite() == "stage 3, block 1, depthwise");
  CHECK(net.values(statistic)[0] == before);
}

TEST_CASE("nn: re-estimated statistics are the averages over all batches") {
  net_type net(weights_of(mixed_table()));
  const small_batch batch;
  net.estimate_statistics({batch.images.data(), batch.shape}, 1);
  std::vector<std::vector<float>> once;
  for (std::size_t i = 0; i < net.tensors().size(); ++i)
    once.emplace_back(net.values(i).begin(), net.values(i).end());
  net.estimate_statistics({batch.images.data(), batch.shape}, 0.5f);
  for (std::size_t i = 0; i < net.tensors().size(); ++i)
    for (std::size_t k = 0; k < once[i].size(); ++k)
      CHECK(double{net.values(i)[k]} == doctest::Approx(double{once[i][k]}).epsilon(1e-5));
}

TEST_CASE("nn: images that a network cannot be trained on are refused") {
  net_type net(weights_of(mixed_table()));
  CHECK_THROWS_WITH_AS(net.plan({1, 31, 64, 3}), doctest::Contains("h >= 32"), shape_error);
  CHECK_THROWS_WITH_AS(net.plan({1, 64, 64, 4}), doctest::Contains("[1, 64, 64, 4]"), shape_error);
}

TEST_CASE("nn: the memory plan names every stage and grows with the batch") {
  net_type net(weights_of(mixed_table()));
  const memory_plan small = net.plan({2, 40, 40, 3}), large = net.plan({8, 40, 40, 3});
  REQUIRE(small.rows.size() == 7);
  CHECK(small.rows.front().name == "stem");
  CHECK(small.rows[1].name == "stage 1");
  CHECK(small.rows.back().name == "head");
  std::size_t saved = 0;
  for (const memory_plan::row& row : large.rows) {
    saved += row.saved;
    CHECK(row.peak <= large.activations);
  }
  CHECK(saved <= large.activations);
  CHECK(large.activations > 3 * small.activations);
  CHECK(large.total() > large.activations + large.gradients);
}

TEST_CASE("nn: batch norm of a single pixel is refused, unless it is frozen") {
  const network_spec spec = {.name = "deep",
                             .stem = 4,
                             .stages = {mbconv{.stride = 2, .expand = 1, .in = 4, .out = 4},
                                        mbconv{.stride = 2, .expand = 1, .in = 4, .out = 4},
                                        mbconv{.stride = 2, .expand = 1, .in = 4, .out = 4},
                                        mbconv{.stride = 2, .expand = 1, .in = 4, .out = 4}},
                             .head = 8,
                             .classes = 5};
  const shape4 shape{1, 32, 32, 3};
  const std::vector<float> images = oracle_images(shape), targets(5, 0.2f);
  const training_batch step{.images = {images.data(), shape}, .targets = targets.data()};
  CHECK_THROWS_WITH_AS(net_type(weights_of(spec)).forward_backward(step),
                       doctest::Contains("one pixel to the batch norm of stage 4"), shape_error);
  CHECK(std::isfinite(
      net_type(weights_of(spec), {}, {.frozen_batch_norm = true}).forward_backward(step)));
}

TEST_CASE("nn: logits are those of the last pass, whatever was planned since") {
  net_type net(weights_of(mixed_table()));
  CHECK(net.logits().data == nullptr);
  const small_batch batch;
  net.forward_backward(batch.all());
  const std::vector<float> before(net.logits().data, net.logits().data + 20);
  net.plan({8, 64, 64, 3});
  CHECK(net.logits().shape == shape4{4, 1, 1, 5});
  CHECK(std::ranges::equal(std::span(net.logits().data, 20), before));
}
