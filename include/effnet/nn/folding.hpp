#pragma once

#include <cmath>
#include <vector>

#include <effnet/core/file_mapping.hpp>
#include <effnet/nn/weights.hpp>

namespace effnet {

/// A layer's weights with its batch norm folded in: y = conv(x, weights) + bias.
struct folded_layer {
  std::vector<float> weights;  ///< OIHW
  std::vector<float> bias;     ///< one an output channel
};

/// Folds layer `l` of `from`, whose tensors begin at `first`:
/// weights * gamma / sqrt(var + eps) and beta - mean * gamma / sqrt(var + eps), in double.
inline folded_layer fold(const weights& from, const layer& l, std::size_t first) {
  const auto widened = [](const raw_tensor& tensor) {
    std::vector<float> values(tensor.elements());
    widen(tensor.type, tensor.data, values.size(), values.data());
    release_pages(tensor);  // a mapped file need not stay in memory beside the packed copy
    return values;
  };
  const auto out = static_cast<std::size_t>(l.out);
  folded_layer folded{widened(from.tensors[first]), {}};
  if (!l.batch_norm) {
    folded.bias = l.bias ? widened(from.tensors[first + 1]) : std::vector<float>(out);
    return folded;
  }
  const std::vector<float> gamma = widened(from.tensors[first + 1]);
  const std::vector<float> beta = widened(from.tensors[first + 2]);
  const std::vector<float> mean = widened(from.tensors[first + 3]);
  const std::vector<float> variance = widened(from.tensors[first + 4]);
  folded.bias.resize(out);
  const std::size_t fan_in = folded.weights.size() / out;
  for (std::size_t o = 0; o < out; ++o) {
    if (!(double{variance[o]} + double{from.rule.bn_eps} > 0))
      throw weight_error(sentence("network '", std::string_view(from.spec.name), "': the running ",
                                  "variance of channel ", o, " of tensor ", first + 4, " is ",
                                  variance[o], ", which with eps ", from.rule.bn_eps,
                                  " is not positive; the weights are damaged"));
    const double scale =
        double{gamma[o]} / std::sqrt(double{variance[o]} + double{from.rule.bn_eps});
    folded.bias[o] = static_cast<float>(double{beta[o]} - double{mean[o]} * scale);
    for (std::size_t i = 0; i < fan_in; ++i) {
      float& weight = folded.weights[o * fan_in + i];
      weight = static_cast<float>(double{weight} * scale);
    }
  }
  return folded;
}

}  // namespace effnet
