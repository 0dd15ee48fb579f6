#pragma once

#include <stdexcept>
#include <thread>

#include "training_checks.hpp"

// Passes that are recorded and replayed leave the bits of those that run op by op, whatever images,
// sizes and settings come next.
namespace effnet::testing {

/// Every kind of block but ResNet's, small.
inline network_spec recorded_table() {
  return {.name = "recorded",
          .stem = 6,
          .stages = {fused_mbconv{.stride = 2, .expand = 2, .in = 6, .out = 8},
                     mbconv{.repeats = 2, .kernel = 5, .expand = 3, .in = 8, .out = 8, .se = 0.25f},
                     mbconv{.stride = 2, .expand = 1, .in = 8, .out = 10, .se = 0.25f}},
          .head = 12,
          .classes = 7};
}
inline weights recorded_weights() {
  return oracle_weights(recorded_table(), convention_for(convention_name::tf, recorded_table()));
}

template <backend B>
std::vector<float> copy_of(const B& on, const const_tensor_view& view) {
  std::vector<float> host(view.shape.elements());
  on.download(view.data, host.data(), host.size() * sizeof(float));
  return host;
}

/// Numbers at an address of their own; once they are used, whoever still reads them is found out.
template <backend B>
class passing_numbers {
 public:
  passing_numbers(const B& on, std::size_t count, unsigned seed)
      : on_(on), there_(on, noise(count, seed)), spoilt_(count, NAN) {}
  passing_numbers(const passing_numbers&) = delete;
  passing_numbers& operator=(const passing_numbers&) = delete;
  ~passing_numbers() {
    on_.upload(spoilt_.data(), there_.data(), spoilt_.size() * sizeof(float));
    kept_.push_back(std::move(there_));  // no other takes its address
  }
  const float* data() const { return there_.data(); }

 private:
  static inline std::vector<device_vector<B>> kept_;
  B on_;
  device_vector<B> there_;
  std::vector<float> spoilt_;
};

/// What a session leaves of one picture after the other, of changing sizes.
template <backend B>
std::vector<std::vector<float>> session_results(const B& on, const std::vector<shape4>& shapes,
                                                const session_options& options) {
  auto session = dynamic_network<B>(recorded_weights(), on).make_session(options);
  std::vector<std::vector<float>> results;
  unsigned seed = 0;
  for (const shape4& shape : shapes) {
    const passing_numbers<B> images(on, shape.elements(), ++seed);
    const outputs& made = session.run({images.data(), shape});
    for (const const_tensor_view& view : {made.logits, made.embedding})
      results.push_back(copy_of(on, view));
    for (const outputs::feature& one : made.features) results.push_back(copy_of(on, one.map));
  }
  return results;
}

inline std::vector<shape4> alternating_shapes() {
  const shape4 small{2, 33, 40, 3}, large{1, 47, 52, 3};
  return {small, small, small, large, large, large, small, large, small, small, large};
}

template <training_backend B>
void check_session_graphs(const B& on) {
  const std::vector<shape4> shapes = alternating_shapes();
  for (const session_options& options :
       {session_options{}, session_options{.features = true}, session_options{.plans = 1}}) {
    CAPTURE(options.features);
    CAPTURE(options.plans);
    const auto got = session_results(on, shapes, options);
    const auto expected = session_results(on.with_graphs(false), shapes, options);
    CHECK(got == expected);
  }
}

/// Sessions of one network share a stream, and may record while the other one runs.
template <training_backend B>
void check_sessions_at_once(const B& on) {
  const dynamic_network<B> net(recorded_weights(), on);
  const shape4 shape{1, 33, 40, 3};
  constexpr std::size_t sessions = 3;
  std::vector<std::vector<std::vector<float>>> results(sessions);
  std::vector<std::thread> threads;
  for (auto& result : results)
    threads.emplace_back([&] {
      auto session = net.make_session();
      for (unsigned seed = 1; seed <= 4; ++seed) {
        const device_vector images(on, noise(shape.elements(), seed));
        result.push_back(copy_of(on, session.run({images.data(), shape}).logits));
      }
    });
  for (std::thread& one : threads) one.join();
  const auto expected = session_results(on.with_graphs(false), {shape, shape, shape, shape}, {});
  for (const auto& result : results)
    for (std::size_t i = 0; i < 4; ++i) CHECK(result[i] == expected[2 * i]);
}

/// Where a recording fails nothing has run, and the device goes on.
template <training_backend B>
void check_failed_recordings(const B& on) {
  const shape4 shape{1, 1, 1, 64};
  const std::vector<float> values = noise(64, 1);
  const device_vector memory(on, values);
  const tensor_view there{memory.data(), shape};
  CHECK_THROWS_AS(on.record([&] {
    on.add_forward(there, there, there);
    throw std::runtime_error("a body that fails");
  }),
                  std::runtime_error);
  std::vector<float> host(64);
  CHECK_THROWS_AS(on.record([&] { copy_of(on, there); }), backend_error);
  CHECK_THROWS_AS(on.record([&] { on.upload(host.data(), there.data, sizeof(float)); }),
                  backend_error);
  CHECK(memory.host() == values);
  const auto recorded = on.record([&] { on.add_forward(there, there, there); });
  CHECK(memory.host() == values);
  on.replay(recorded);
  on.replay(recorded);
  const std::vector<float> added = memory.host();
  for (std::size_t i = 0; i < 64; ++i) CHECK(added[i] == 4 * values[i]);
}

/// A batch of a step.
struct recorded_step {
  shape4 shape;
  float dropout, stochastic_depth;
};
/// Sizes and batches that change, and what changes the launches: whether features and blocks are
/// dropped, and parts of a batch for which weights were packed already.
inline std::vector<recorded_step> recorded_steps() {
  const shape4 even{4, 33, 32, 3}, odd{5, 33, 32, 3}, large{4, 39, 34, 3};
  return {{even, 0.2f, 0.2f}, {even, 0.2f, 0.2f}, {even, 0.3f, 0.1f}, {odd, 0.2f, 0.2f},
          {odd, 0.2f, 0.2f},  {even, 0, 0.2f},    {even, 0, 0.2f},    {even, 0, 0.2f},
          {large, 0.2f, 0},   {large, 0.2f, 0},   {large, 0.2f, 0},   {odd, 0.2f, 0.2f},
          {even, 0.2f, 0.2f}, {even, 0.2f, 0.2f}, {large, 0.2f, 0},   {large, 0.2f, 0.2f},
          {large, 0, 0}};
}

/// Losses, norms and in the end all values.
template <training_backend B>
std::vector<std::vector<float>> training_results(const B& on, const training_settings& settings) {
  const training_options options{
      .rate = {.base = 0.02, .decay = decay_rule::constant, .warmup_epochs = 0},
      .clip = 0.5,
      .accumulation = 2,
      .class_weights = {1, 2, 1, 0.5f, 1, 1, 1}};
  trainer run(recorded_weights(), rmsprop{}, options, on, settings);
  std::vector<std::vector<float>> results;
  unsigned seed = 0;
  for (const recorded_step& step : recorded_steps()) {
    const auto count = static_cast<std::size_t>(step.shape.n);
    const passing_numbers<B> images(on, step.shape.elements(), ++seed),
        targets(on, count * 7, ++seed);
    const step_report report = run.step({.images = {images.data(), step.shape},
                                         .targets = targets.data(),
                                         .dropout = step.dropout,
                                         .stochastic_depth = step.stochastic_depth});
    results.push_back({static_cast<float>(report.loss), static_cast<float>(report.gradient_norm)});
  }
  for (const weights& of : {run.current(), run.averaged()})
    for (const raw_tensor& t : of.tensors) {
      if (t.data == nullptr || t.type != dtype::f32) continue;
      const auto* first = reinterpret_cast<const float*>(t.data);
      results.emplace_back(first, first + t.elements());
    }
  return results;
}

template <training_backend B>
void check_training_graphs(const B& on) {
  for (const training_settings& settings :
       {training_settings{}, training_settings{.frozen_stages = 2, .recompute_blocks = true}}) {
    CAPTURE(settings.recompute_blocks);
    const auto got = training_results(on, settings);
    CHECK(got == training_results(on.with_graphs(false), settings));
  }
}

/// Other weights, as after a step.
template <training_backend B>
void scale_values(training_network<B>& net, float by) {
  for (std::size_t i = 0; i < net.tensors().size(); ++i) {
    if (!net.trained(i)) continue;
    std::vector<float> host(net.values(i).size());
    net.device().download(net.values(i).data(), host.data(), host.size() * sizeof(float));
    for (float& x : host) x *= by;
    net.device().upload(host.data(), net.values(i).data(), host.size() * sizeof(float));
  }
  net.values_changed();
}

/// Losses and gradients of the classifier, of passes that differ in what no memory says.
template <training_backend B>
std::vector<std::vector<float>> loss_results(const B& on) {
  training_network<B> net(recorded_weights(), on);
  const shape4 shape{2, 33, 40, 3};
  const device_vector some(on, std::vector<float>{1, 2, 1, 0.5f, 1, 1, 1}),
      others(on, std::vector<float>{3, 1, 1, 1, 1, 0.5f, 2});
  std::vector<std::vector<float>> results;
  unsigned seed = 0;
  const auto pass = [&](const training_batch& how) {
    const passing_numbers<B> images(on, shape.elements(), ++seed), targets(on, 2 * 7, ++seed);
    training_batch batch = how;
    batch.images = {images.data(), shape};
    batch.targets = targets.data();
    results.push_back({static_cast<float>(net.forward_backward(batch))});
    const auto gradient = net.gradient(net.tensors().size() - 1);
    results.push_back(copy_of(on, {gradient.data(), {1, 1, 1, static_cast<int>(gradient.size())}}));
  };
  const training_batch plain{.images = {}};
  training_batch smooth = plain, sigmoid = plain, weighted = plain, weighted_otherwise = plain;
  smooth.smoothing = 0.1f;
  sigmoid.loss = loss_kind::sigmoid;
  weighted.class_weights = some.data();
  weighted_otherwise.class_weights = others.data();
  for (const training_batch& how : {plain, sigmoid, smooth, weighted, weighted_otherwise, plain})
    for (int n = 0; n < 3; ++n) pass(how);
  // Where statistics are estimated in between, a part of the weights is packed before the pass.
  for (int n = 0; n < 6; ++n) {
    scale_values(net, 1.1f);
    if (n < 3) {
      const passing_numbers<B> images(on, shape.elements(), ++seed);
      net.estimate_statistics({images.data(), shape}, 0.5f);
    }
    pass(plain);
  }
  return results;
}

template <training_backend B>
void check_loss_graphs(const B& on) {
  CHECK(loss_results(on) == loss_results(on.with_graphs(false)));
}

}  // namespace effnet::testing
