#pragma once

#include <cmath>

#include <effnet/cuda/global_span.hpp>
#include <effnet/cuda/kernel.hpp>

namespace effnet::cuda {

/// The loss of every image and the gradient of their mean by the logits, a block an image: see
/// `math::softmax_cross_entropy` and `math::sigmoid_cross_entropy`. Within a thread and for totals
/// sums are in double; between threads they pass through shared memory as floats.
template <bool Softmax>
struct loss_kernel {
  static constexpr const char* name = Softmax ? "softmax_loss" : "sigmoid_loss";
  static constexpr unsigned most_threads = 128;

  int images, classes;
  float smoothing;
  global_span<const float> logits, targets;
  global_span<const float> class_weights;  ///< empty: 1
  global_span<float> diff_logits, losses;

  struct registers {};

  launch_shape shape() const {
    return {.grid = {static_cast<unsigned>(images)},
            .block = {most_threads},
            .shared_bytes = quantities * most_threads * sizeof(float)};
  }
  EFFNET_HD int phases() const { return Softmax ? 4 : 2; }

  EFFNET_HD void run(int phase, const thread_place& at, registers&,
                     const shared_memory& shared) const {
    if constexpr (Softmax) {
      if (phase == 0) leave(at, shared, maxima, largest(at));
      if (phase == 1) leave_sums(at, shared);
      if (phase == 2) leave(at, shared, parts_of_loss, softmax_part(at, shared));
      if (phase == 3) store_loss(at, shared);
    } else {
      if (phase == 0) leave(at, shared, parts_of_loss, sigmoid_part(at));
      if (phase == 1) store_loss(at, shared);
    }
  }

 private:
  enum quantity { maxima, exponentials, weights, parts_of_loss, quantities };

  EFFNET_HD std::size_t first(const thread_place& at) const {
    return std::size_t{at.in_grid.x} * static_cast<std::size_t>(classes);
  }
  /// Calls `body(class, its element)` for the classes of a thread.
  template <class Body>
  EFFNET_HD void for_each_class(const thread_place& at, const Body& body) const {
    for (int k = static_cast<int>(at.in_block.x); k < classes; k += static_cast<int>(at.block.x))
      body(static_cast<std::size_t>(k), first(at) + static_cast<std::size_t>(k));
  }
  EFFNET_HD double weight_of(std::size_t k) const {
    return class_weights.empty() ? 1.0 : static_cast<double>(class_weights.load(k));
  }
  EFFNET_HD double weighted_target(std::size_t k, std::size_t i) const {
    return weight_of(k) *
           (static_cast<double>(targets.load(i)) * (1 - static_cast<double>(smoothing)) +
            static_cast<double>(smoothing) / classes);
  }

  EFFNET_HD static void leave(const thread_place& at, const shared_memory& shared, quantity what,
                              double value) {
    shared.store(static_cast<std::size_t>(what) * at.block.x + at.in_block.x,
                 static_cast<float>(value));
  }
  EFFNET_HD static double left(const thread_place& at, const shared_memory& shared, quantity what,
                               std::size_t thread) {
    return static_cast<double>(shared.load(static_cast<std::size_t>(what) * at.block.x + thread));
  }
  EFFNET_HD static double total(const thread_place& at, const shared_memory& shared,
                                quantity what) {
    double sum = 0;
    for (std::size_t thread = 0; thread < at.block.x; ++thread)
      sum += left(at, shared, what, thread);
    return sum;
  }

  EFFNET_HD double largest(const thread_place& at) const {
    // Threads without a class repeat the first.
    double most = static_cast<double>(logits.load(first(at)));
    for_each_class(at, [&](std::size_t, std::size_t i) {
      const double x = static_cast<double>(logits.load(i));
      if (x > most) most = x;
    });
    return most;
  }
  EFFNET_HD static double largest_of_all(const thread_place& at, const shared_memory& shared) {
    double most = left(at, shared, maxima, 0);
    for (std::size_t thread = 1; thread < at.block.x; ++thread) {
      const double x = left(at, shared, maxima, thread);
      if (x > most) most = x;
    }
    return most;
  }
  EFFNET_HD void leave_sums(const thread_place& at, const shared_memory& shared) const {
    const double most = largest_of_all(at, shared);
    double sum = 0, whole = 0;
    for_each_class(at, [&](std::size_t k, std::size_t i) {
      sum += std::exp(static_cast<double>(logits.load(i)) - most);
      whole += weighted_target(k, i);
    });
    leave(at, shared, exponentials, sum);
    leave(at, shared, weights, whole);
  }
  EFFNET_HD double softmax_part(const thread_place& at, const shared_memory& shared) const {
    const double whole = total(at, shared, weights);
    const double log_sum = std::log(total(at, shared, exponentials)) + largest_of_all(at, shared);
    double loss = 0;
    for_each_class(at, [&](std::size_t k, std::size_t i) {
      const double t = weighted_target(k, i);
      const double log_probability = static_cast<double>(logits.load(i)) - log_sum;
      loss -= t * log_probability;
      diff_logits.store(i, static_cast<float>((std::exp(log_probability) * whole - t) / images));
    });
    return loss;
  }
  EFFNET_HD double sigmoid_part(const thread_place& at) const {
    double loss = 0;
    for_each_class(at, [&](std::size_t k, std::size_t i) {
      const double x = static_cast<double>(logits.load(i)), w = weight_of(k);
      const double t = static_cast<double>(targets.load(i)) * (1 - static_cast<double>(smoothing)) +
                       static_cast<double>(smoothing) / 2;
      loss += w * ((x > 0 ? x : 0) - x * t + std::log1p(std::exp(x > 0 ? -x : x)));
      diff_logits.store(i, static_cast<float>(w * (1 / (1 + std::exp(-x)) - t) / images));
    });
    return loss;
  }
  EFFNET_HD void store_loss(const thread_place& at, const shared_memory& shared) const {
    if (at.in_block.x == 0)
      losses.store(at.in_grid.x, static_cast<float>(total(at, shared, parts_of_loss)));
  }
};

}  // namespace effnet::cuda
