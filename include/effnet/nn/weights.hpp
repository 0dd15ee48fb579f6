#pragma once

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <effnet/arch/convention_presets.hpp>
#include <effnet/arch/tensors.hpp>
#include <effnet/core/raw_tensor.hpp>
#include <effnet/core/rng.hpp>

namespace effnet {

/// A network's tensors as stored, with what a checkpoint says about how to use them. Loading a
/// network folds and packs copies; these bytes never change, so that they can be written back.
struct weights {
  network_spec spec;
  convention rule;
  /// One for each `for_each_tensor(spec)`, in that order. An absent `bn_num_batches` has no data.
  std::vector<raw_tensor> tensors;
  std::vector<std::string> labels;  ///< class names by index; empty: unknown
};

/// Float32 tensors for every part of `spec`, filled by `fill(index, tensor_spec, float*)`, where
/// `index` counts them without `bn_num_batches`; all in one allocation.
template <class Fill>
weights filled_weights(const network_spec& spec, const convention& rule, Fill&& fill) {
  std::size_t elements = 0;
  for_each_tensor(spec, [&](const tensor_spec& t) { elements += t.elements(); });
  auto storage = std::make_shared<std::vector<float>>(elements);
  weights made{.spec = spec, .rule = rule, .tensors = {}, .labels = {}};
  float* next = storage->data();
  std::uint64_t index = 0;
  for_each_tensor(spec, [&](const tensor_spec& t) {
    raw_tensor tensor{.type = dtype::f32, .shape = {}, .data = nullptr, .owner = storage};
    tensor.shape.assign(t.extents.begin(), t.extents.begin() + t.rank);
    if (t.part == tensor_part::bn_num_batches) {
      tensor.type = dtype::i64;
      tensor.owner = nullptr;
    } else {
      fill(index++, t, next);
      tensor.data = reinterpret_cast<const std::byte*>(next);
      next += t.elements();
    }
    made.tensors.push_back(std::move(tensor));
  });
  return made;
}

/// Weights before training, as the TensorFlow sources start: convolutions normal with deviation
/// sqrt(2 / fan_out) (depthwise: fan_out = k * k), classifier uniform within 1 / sqrt(classes),
/// batch norm 1 and 0, biases 0.
inline weights initial_weights(const network_spec& spec, std::uint64_t seed = 0,
                               convention_name family = convention_name::tf) {
  return filled_weights(
      spec, convention_for(family, spec),
      [&](std::uint64_t index, const tensor_spec& t, float* dst) {
        const std::uint64_t stream = mix64(seed) ^ index;
        for (std::size_t k = 0; k < t.elements(); ++k) {
          double value = 0;
          if (t.rank == 4) {
            const double fan_out = double(t.of.kernel) * t.of.kernel * (t.of.out / t.of.groups);
            const double radius = std::sqrt(-2 * std::log(1 - uniform(stream, 2 * k)));
            value = std::sqrt(2 / fan_out) * radius *
                    std::cos(2 * std::numbers::pi * uniform(stream, 2 * k + 1));
          } else if (t.rank == 2) {
            value = (2 * uniform(stream, k) - 1) / std::sqrt(double(t.of.out));
          } else if (t.part == tensor_part::bn_weight || t.part == tensor_part::bn_running_var) {
            value = 1;
          }
          dst[k] = static_cast<float>(value);
        }
      });
}

}  // namespace effnet
