#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <vector>

#include <effnet/nn/network.hpp>
#include <effnet/nn/training_network.hpp>
#include <effnet/nn/weights.hpp>

namespace effnet {

/// How networks are timed.
struct timing {
  int batch = 16;
  double seconds = 0.1;  ///< that a network is run for, at least
  int least_runs = 3;
};

namespace detail {

inline std::vector<float> random_pixels(const shape4& images) {
  std::vector<float> pixels(images.elements());
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<float>(2 * uniform(1, i) - 1);
  return pixels;
}

/// The shortest of several runs, in seconds. The first one, which plans, does not count.
template <class Run>
double shortest(const timing& how, Run&& run) {
  using clock = std::chrono::steady_clock;
  run();
  double best = std::numeric_limits<double>::infinity(), spent = 0;
  for (int done = 0; done < how.least_runs || spent < how.seconds; ++done) {
    const auto start = clock::now();
    run();
    const std::chrono::duration<double> took = clock::now() - start;
    best = std::min(best, took.count());
    spent += took.count();
  }
  return best;
}

}  // namespace detail

/// The shortest of several forward and backward passes on random images, in seconds.
template <training_backend B>
double measured_step(const network_spec& spec, int height, int width, const B& on,
                     const timing& how) {
  training_network<B> network(initial_weights(spec, 1), on);
  const shape4 images{how.batch, height, width, spec.in_channels};
  const std::vector<float> pixels = detail::random_pixels(images);
  const auto classes = static_cast<std::size_t>(spec.classes);
  std::vector<float> targets(static_cast<std::size_t>(how.batch) * classes);
  for (std::size_t n = 0; n < targets.size(); n += classes) targets[n + n / classes % classes] = 1;
  const typename B::buffer there(pixels.size() * sizeof(float)),
      targets_there(targets.size() * sizeof(float));
  const auto place = [&](const std::vector<float>& from, const typename B::buffer& to) {
    auto* data = reinterpret_cast<float*>(to.data());
    on.upload(from.data(), data, to.bytes());
    return static_cast<const float*>(data);
  };
  const training_batch batch{.images = {place(pixels, there), images},
                             .targets = place(targets, targets_there)};
  return detail::shortest(how, [&] { network.forward_backward(batch); });
}

/// The same for inference, of `how.batch` images at once.
template <backend B>
double measured_latency(const network_spec& spec, int height, int width, const B& on,
                        const timing& how) {
  const dynamic_network<B> network(initial_weights(spec, 1), on);
  session<B> runner = network.make_session();
  const shape4 images{how.batch, height, width, spec.in_channels};
  const std::vector<float> pixels = detail::random_pixels(images);
  return detail::shortest(how, [&] { runner.run({pixels.data(), images}); });
}

}  // namespace effnet
