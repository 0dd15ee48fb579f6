#pragma once

#include <vector>

#include <effnet/backend/normalised.hpp>
#include <effnet/math/activation.hpp>

namespace effnet::reference {

namespace detail {

/// Calls `element(n, c, i)` for every element in memory order: image, channel, place.
template <class Element>
void for_each_element(const shape4& s, const Element& element) {
  const std::size_t pixels = static_cast<std::size_t>(s.h) * static_cast<std::size_t>(s.w);
  std::size_t i = 0;
  for (std::size_t n = 0; n < static_cast<std::size_t>(s.n); ++n)
    for (std::size_t p = 0; p < pixels; ++p)
      for (std::size_t c = 0; c < static_cast<std::size_t>(s.c); ++c, ++i) element(n, c, i);
}

/// scale[c] * src + shift[c], what the activation sees.
inline float before_activation(const normalised& what, std::size_t c, std::size_t i) {
  return static_cast<float>(double{what.constants.scale[c]} * double{what.src.data[i]} +
                            double{what.constants.shift[c]});
}

/// gate[n,c] * keep[n].
inline double factor(const normalised& what, std::size_t n, std::size_t c) {
  const auto channels = static_cast<std::size_t>(what.src.shape.c);
  return (what.gate != nullptr ? double{what.gate[n * channels + c]} : 1.0) *
         (what.keep != nullptr ? double{what.keep[n]} : 1.0);
}

inline double pixels_of_image(const shape4& s) {
  return static_cast<double>(s.h) * static_cast<double>(s.w);
}

}  // namespace detail

/// Mean and biased variance of every channel over n, h, w, in two passes.
inline void batch_statistics(const_tensor_view src, float* mean, float* variance) {
  const auto channels = static_cast<std::size_t>(src.shape.c);
  const double count = static_cast<double>(src.shape.elements() / channels);
  std::vector<double> sums(channels), squares(channels);
  detail::for_each_element(src.shape, [&](std::size_t, std::size_t c, std::size_t i) {
    sums[c] += double{src.data[i]};
  });
  detail::for_each_element(src.shape, [&](std::size_t, std::size_t c, std::size_t i) {
    const double centred = double{src.data[i]} - sums[c] / count;
    squares[c] += centred * centred;
  });
  for (std::size_t c = 0; c < channels; ++c) {
    mean[c] = static_cast<float>(sums[c] / count);
    variance[c] = static_cast<float>(squares[c] / count);
  }
}

/// dst = what + residual (null: 0); `dst` may be `residual`.
inline void normalise_forward(const normalised& what, const float* residual, tensor_view dst) {
  detail::for_each_element(dst.shape, [&](std::size_t n, std::size_t c, std::size_t i) {
    const double value = double{math::apply(what.act, detail::before_activation(what, c, i))} *
                         detail::factor(what, n, c);
    dst.data[i] = static_cast<float>(value + (residual != nullptr ? double{residual[i]} : 0.0));
  });
}

/// Mean over h, w of act(scale * src + shift) into [n,1,1,c].
inline void normalise_pool(const normalised& what, tensor_view dst) {
  const auto channels = static_cast<std::size_t>(dst.shape.c);
  std::vector<double> sums(dst.shape.elements());
  detail::for_each_element(what.src.shape, [&](std::size_t n, std::size_t c, std::size_t i) {
    sums[n * channels + c] += double{math::apply(what.act, detail::before_activation(what, c, i))};
  });
  for (std::size_t i = 0; i < sums.size(); ++i)
    dst.data[i] = static_cast<float>(sums[i] / detail::pixels_of_image(what.src.shape));
}

/// diff_gate[n,c] = sum over h, w of diff_dst * keep * act(scale * src + shift).
inline void gate_backward(const normalised& what, const_tensor_view diff_dst,
                          tensor_view diff_gate) {
  const auto channels = static_cast<std::size_t>(diff_gate.shape.c);
  std::vector<double> sums(diff_gate.shape.elements());
  detail::for_each_element(what.src.shape, [&](std::size_t n, std::size_t c, std::size_t i) {
    sums[n * channels + c] += double{diff_dst.data[i]} *
                              double{math::apply(what.act, detail::before_activation(what, c, i))};
  });
  for (std::size_t i = 0; i < sums.size(); ++i)
    diff_gate.data[i] = static_cast<float>(
        sums[i] * (what.keep != nullptr ? double{what.keep[i / channels]} : 1.0));
}

/// As `training_backend` defines it: one pass for the sums of g and g x, one that applies them.
inline void normalise_backward(const normalised& what, const float* diff_dst,
                               const float* diff_pool, bool of_batch, tensor_view diff_src,
                               float* diff_weight, float* diff_bias) {
  const auto channels = static_cast<std::size_t>(diff_src.shape.c);
  const double count = static_cast<double>(diff_src.shape.elements() / channels);
  const double share = 1 / detail::pixels_of_image(diff_src.shape);
  const auto gradient = [&](std::size_t n, std::size_t c, std::size_t i) {
    double sum = 0;
    if (diff_dst != nullptr) sum += double{diff_dst[i]} * detail::factor(what, n, c);
    if (diff_pool != nullptr) sum += double{diff_pool[n * channels + c]} * share;
    return sum * double{math::derivative(what.act, detail::before_activation(what, c, i))};
  };
  const auto centred = [&](std::size_t c, std::size_t i) {
    return (double{what.src.data[i]} - double{what.constants.mean[c]}) *
           double{what.constants.inverse[c]};
  };
  std::vector<double> sums(channels), products(channels);
  detail::for_each_element(diff_src.shape, [&](std::size_t n, std::size_t c, std::size_t i) {
    const double g = gradient(n, c, i);
    sums[c] += g;
    products[c] += g * centred(c, i);
  });
  detail::for_each_element(diff_src.shape, [&](std::size_t n, std::size_t c, std::size_t i) {
    double g = gradient(n, c, i);
    if (of_batch) g -= (sums[c] + centred(c, i) * products[c]) / count;
    diff_src.data[i] = static_cast<float>(double{what.constants.scale[c]} * g);
  });
  for (std::size_t c = 0; c < channels; ++c) {
    if (diff_weight != nullptr) diff_weight[c] = static_cast<float>(products[c]);
    if (diff_bias != nullptr) diff_bias[c] = static_cast<float>(sums[c]);
  }
}

}  // namespace effnet::reference
