#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include <effnet/core/config.hpp>

/// Loops that compilers leave scalar, because a root may set errno, four elements at a time.
namespace effnet::math {

/// Four floats side by side; each is rounded as it would be alone.
using four_floats = float __attribute__((vector_size(16)));

EFFNET_HD inline float root(float x) {
  return std::sqrt(x);
}
inline four_floats root(const four_floats& x) {
#if defined(__SSE2__)
  return _mm_sqrt_ps(x);
#else
  four_floats to;
  for (int k = 0; k < 4; ++k) to[k] = std::sqrt(x[k]);
  return to;
#endif
}

/// Calls `body(i)` for the elements of one of `lanes` threads that share them in turn.
template <class Body>
EFFNET_HD void for_each_of_lane(std::size_t elements, std::size_t lane, std::size_t lanes,
                                const Body& body) {
  if (lanes == 1) {  // side by side, for vectors
    for (std::size_t i = 0; i < elements; ++i) body(i);
    return;
  }
  for (std::size_t i = lane; i < elements; i += lanes) body(i);
}

/// Calls `body(x, g)` for every element: `x` are those of the arrays `changed`, which it may
/// change, `g` that of `fixed`. Its types are four_floats, and float for the last few; for one of
/// several `lanes` that share the elements, float.
template <std::size_t Count, class Body>
EFFNET_HD void for_each_element(const std::array<float*, Count>& changed, const float* fixed,
                                std::size_t elements, const Body& body, std::size_t lane = 0,
                                std::size_t lanes = 1) {
  const auto run = [&]<class T>(std::size_t at, std::array<T, Count> x, T g) {
    for (std::size_t k = 0; k < Count; ++k) std::memcpy(&x[k], changed[k] + at, sizeof(T));
    std::memcpy(&g, fixed + at, sizeof(T));
    body(x, g);
    for (std::size_t k = 0; k < Count; ++k) std::memcpy(changed[k] + at, &x[k], sizeof(T));
  };
#if defined(__CUDA_ARCH__)
  for (std::size_t at = lane; at < elements; at += lanes) run(at, std::array<float, Count>{}, 0.0f);
#else
  std::size_t at = 0;
  if (lanes == 1)
    for (; at + 4 <= elements; at += 4) run(at, std::array<four_floats, Count>{}, four_floats{});
  for (at += lane; at < elements; at += lanes) run(at, std::array<float, Count>{}, 0.0f);
#endif
}

}  // namespace effnet::math
