#pragma once

#include <cstddef>
#include <cstring>

#include <effnet/core/tensor_view.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/vector_math.hpp>

namespace effnet::cpu {

namespace detail {

/// dst = act(src), or act'(src) * diff where `diff` is given. The last elements go through a
/// register of their own, so that an element's value does not depend on where it stands.
template <class Floats>
EFFNET_KERNEL_BODY void activation_body(activation act, const float* src, const float* diff,
                                        float* dst, std::size_t count) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  float tail[3][lanes] = {};
  for (std::size_t i = 0; i < count; i += lanes) {
    const std::size_t part = count - i < lanes ? count - i : lanes;
    const float *from = src + i, *gradient = diff != nullptr ? diff + i : nullptr;
    if (part < lanes) {
      std::memcpy(tail[0], from, part * sizeof(float));
      from = tail[0];
      if (gradient != nullptr) {
        std::memcpy(tail[1], gradient, part * sizeof(float));
        gradient = tail[1];
      }
    }
    Floats x, y;
    load(from, x);
    if (gradient == nullptr) {
      apply(act, x, y);
    } else {
      Floats g;
      load(gradient, g);
      derivative(act, x, y);
      y *= g;
    }
    store(y, part < lanes ? tail[2] : dst + i);
    if (part < lanes) std::memcpy(dst + i, tail[2], part * sizeof(float));
  }
}
inline void activation_portable(activation act, const float* src, const float* diff, float* dst,
                                std::size_t count) {
  activation_body<floats4>(act, src, diff, dst, count);
}
EFFNET_TARGET_AVX2 inline void activation_avx2(activation act, const float* src, const float* diff,
                                               float* dst, std::size_t count) {
  activation_body<floats8>(act, src, diff, dst, count);
}
EFFNET_TARGET_AVX512 inline void activation_avx512(activation act, const float* src,
                                                   const float* diff, float* dst,
                                                   std::size_t count) {
  activation_body<floats16>(act, src, diff, dst, count);
}

inline void run_activation(activation act, const float* src, const float* diff, float* dst,
                           std::size_t count, isa best) {
  const auto kernel = for_isa(best, activation_portable, activation_avx2, activation_avx512);
  const std::size_t blocks = (count + channel_block - 1) / channel_block;
  parallel_ranges(blocks, channel_block, [&](std::size_t first, std::size_t last) {
    const std::size_t begin = first * channel_block;
    const std::size_t end = last * channel_block < count ? last * channel_block : count;
    kernel(act, src + begin, diff != nullptr ? diff + begin : nullptr, dst + begin, end - begin);
  });
}

}  // namespace detail

/// dst = act(src); in place allowed.
inline void activation_forward(activation act, const_tensor_view src, tensor_view dst,
                               isa best = best_isa()) {
  detail::run_activation(act, src.data, nullptr, dst.data, src.shape.elements(), best);
}

/// diff_src = diff_dst * act'(src), from the activation's source; `diff_src` may be `diff_dst`.
inline void activation_backward(activation act, const_tensor_view src, const_tensor_view diff_dst,
                                tensor_view diff_src, isa best = best_isa()) {
  detail::run_activation(act, src.data, diff_dst.data, diff_src.data, src.shape.elements(), best);
}

}  // namespace effnet::cpu
