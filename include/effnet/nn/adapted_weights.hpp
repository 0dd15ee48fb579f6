#pragma once

#include <cstring>
#include <utility>
#include <vector>

#include <effnet/core/dtype.hpp>
#include <effnet/nn/check_weights.hpp>
#include <effnet/nn/tensors_of.hpp>

namespace effnet {

namespace detail {

inline std::vector<float> widened(const raw_tensor& tensor) {
  std::vector<float> values(tensor.elements());
  widen(tensor.type, tensor.data, values.size(), values.data());
  return values;
}

inline raw_tensor owned_tensor(std::vector<float> values, std::vector<std::int64_t> shape) {
  auto owner = std::make_shared<std::vector<float>>(std::move(values));
  const auto* data = reinterpret_cast<const std::byte*>(owner->data());
  return {.type = dtype::f32, .shape = std::move(shape), .data = data, .owner = std::move(owner)};
}

}  // namespace detail

/// The same network with a new classifier for `classes` classes, as `initial_weights` makes it; all
/// other tensors are shared with `from`. `labels` become the class names. Throws `weight_error`
/// where there are names, but not one for each class.
inline weights with_new_classifier(const weights& from, int classes,
                                   std::vector<std::string> labels = {}, std::uint64_t seed = 0) {
  check_weights(from);
  if (!labels.empty() && labels.size() != static_cast<std::size_t>(classes))
    throw weight_error(sentence("a classifier of ", classes, " classes was given ", labels.size(),
                                " class names; give one for each or none"));
  const network_spec spec = with_classes(from.spec, classes);
  const weights fresh = initial_weights(spec, seed);
  weights adapted{.spec = spec, .rule = from.rule, .tensors = {}, .labels = std::move(labels)};
  std::size_t i = 0;
  for (const tensor_spec& t : tensors_of(spec)) {
    adapted.tensors.push_back(t.of.role == layer_role::classifier ? fresh.tensors[i]
                                                                  : from.tensors[i]);
    ++i;
  }
  return adapted;
}

/// The same network for images of `channels` planes: the stem's filters are summed for one plane,
/// and repeated in turn, to the same total, for more (as timm's `in_chans` does).
inline weights with_new_planes(const weights& from, int channels) {
  check_weights(from);
  if (channels < 1)
    throw weight_error(sentence("images cannot have ", channels, " planes; expected at least 1"));
  weights adapted = from;
  adapted.spec = with_in_channels(from.spec, channels);
  const raw_tensor& stem = from.tensors.front();
  const std::vector<float> old_values = detail::widened(stem);
  const auto out = static_cast<std::size_t>(from.spec.stem);
  const auto before = static_cast<std::size_t>(from.spec.in_channels);
  const auto after = static_cast<std::size_t>(channels);
  const std::size_t taps = old_values.size() / out / before;
  std::vector<float> values(out * after * taps);
  for (std::size_t o = 0; o < out; ++o)
    for (std::size_t t = 0; t < taps; ++t) {
      const auto old_value = [&](std::size_t plane) {
        return old_values[(o * before + plane) * taps + t];
      };
      if (after == 1) {
        float sum = 0;
        for (std::size_t plane = 0; plane < before; ++plane) sum += old_value(plane);
        values[o * taps + t] = sum;
        continue;
      }
      const float share = static_cast<float>(before) / static_cast<float>(after);
      for (std::size_t plane = 0; plane < after; ++plane)
        values[(o * after + plane) * taps + t] = old_value(plane % before) * share;
    }
  std::vector<std::int64_t> shape = stem.shape;
  shape[1] = channels;
  adapted.tensors.front() = detail::owned_tensor(std::move(values), std::move(shape));
  return adapted;
}

}  // namespace effnet
