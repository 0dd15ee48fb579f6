#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <effnet/arch/models.hpp>
#include <effnet/core/aligned_buffer.hpp>
#include <effnet/math/sum_of_squares.hpp>
#include <effnet/nn/tensors_of.hpp>
#include <effnet/train/trainable.hpp>

namespace effnet::testing {

/// As many lanes share a piece as it is told; the last come first.
struct split_device {
  using buffer = aligned_buffer;
  static constexpr bool host_memory = true;
  std::size_t lanes = 1;

  int enter() const { return 0; }
  void upload(const float* host, float* memory, std::size_t bytes) const {
    std::memcpy(memory, host, bytes);
  }
  void download(const float* memory, float* host, std::size_t bytes) const {
    std::memcpy(host, memory, bytes);
  }
  template <class Body>
  void for_each_piece(std::size_t count, const Body& body) const {
    for (std::size_t piece = count; piece-- > 0;)
      for (std::size_t lane = lanes; lane-- > 0;) body(piece, lane, lanes);
  }
  void squares_of_runs(const float_run* runs, std::size_t count, double* sums) const {
    for (std::size_t k = count; k-- > 0;)
      sums[k] = math::sum_of_squares(runs[k].data, runs[k].count);
  }
};

/// A few layers of every kind; small enough to be trained in no time.
inline network_spec toy_table() {
  return {
      .name = "toy",
      .stem = 4,
      .stages = {fused_mbconv{.repeats = 1, .expand = 1, .in = 4, .out = 4},
                 mbconv{.repeats = 2, .stride = 2, .expand = 2, .in = 4, .out = 6, .se = 0.25f}},
      .head = 8,
      .classes = 3};
}

/// Stands in for a network: the loss of a batch is the sum of its targets plus half the sum of
/// squares of all trained values times the mean image, and every pass moves the statistics.
class toy_network {
 public:
  explicit toy_network(split_device on = {}, bool frozen_stem = false,
                       const network_spec& spec = toy_table())
      : start_(initial_weights(spec, 3)), on_(on) {
    std::size_t index = 0;
    for (const tensor_spec& t : tensors_of(start_.spec)) {
      const raw_tensor& source = start_.tensors[index++];
      if (t.part == tensor_part::bn_num_batches) continue;
      const auto* values = reinterpret_cast<const float*>(source.data);
      specs_.push_back(t);
      values_.emplace_back(values, values + source.elements());
      trained_.push_back(is_trained_part(t) && !(frozen_stem && t.of.role == layer_role::stem));
      gradients_.emplace_back(trained_.back() ? source.elements() : 0);
    }
  }

  const network_spec& spec() const { return start_.spec; }
  const convention& rule() const { return start_.rule; }
  const std::vector<std::string>& labels() const { return labels_; }
  const split_device& device() const { return on_; }
  const std::vector<tensor_spec>& tensors() const { return specs_; }
  std::span<float> values(std::size_t i) { return values_[i]; }
  std::span<const float> values(std::size_t i) const { return values_[i]; }
  std::span<float> gradient(std::size_t i) { return gradients_[i]; }
  bool trained(std::size_t i) const { return trained_[i]; }
  void values_changed() { ++changes; }

  double forward_backward(const training_batch& batch) {
    seen.push_back(batch);
    const std::size_t count = batch.images.shape.elements();
    double mean = 0;
    for (std::size_t k = 0; k < count; ++k) mean += static_cast<double>(batch.images.data[k]);
    mean /= static_cast<double>(count);
    double squares = 0;
    for (std::size_t i = 0; i < values_.size(); ++i)
      for (std::size_t k = 0; k < values_[i].size(); ++k) {
        float& value = values_[i][k];
        if (trained_[i]) {
          squares += static_cast<double>(value) * static_cast<double>(value);
          gradients_[i][k] = value * static_cast<float>(mean);
        } else if (!is_trained_part(specs_[i])) {
          value += 0.1f * static_cast<float>(mean);
        }
      }
    if (spoilt_gradient) gradients_[2].back() = std::numeric_limits<float>::quiet_NaN();
    return squares / 2 * mean;
  }
  std::string first_non_finite() const { return "stem"; }
  weights snapshot() const {
    return filled_weights(start_.spec, start_.rule,
                          [&](std::uint64_t index, const tensor_spec&, float* to) {
                            std::ranges::copy(values_[static_cast<std::size_t>(index)], to);
                          });
  }

  int changes = 0;
  bool spoilt_gradient = false;
  std::vector<training_batch> seen;

 private:
  static bool is_trained_part(const tensor_spec& t) {
    return t.part != tensor_part::bn_running_mean && t.part != tensor_part::bn_running_var;
  }

  weights start_;
  split_device on_;
  std::vector<std::string> labels_ = {"a", "b", "c"};
  std::vector<tensor_spec> specs_;
  std::vector<std::vector<float>> values_, gradients_;
  std::vector<bool> trained_;
};

/// `count` images of one pixel, all of the same value, with targets.
struct toy_images {
  explicit toy_images(int count, float value = 1)
      : pixels(static_cast<std::size_t>(count) * 3, value),
        targets(static_cast<std::size_t>(count) * 3),
        shape{count, 1, 1, 3} {}

  std::vector<float> pixels, targets;
  shape4 shape;
  const_tensor_view view() const { return {pixels.data(), shape}; }
};

}  // namespace effnet::testing
