#pragma once

#include <cstddef>

#include <effnet/cpu/vector.hpp>

/// The matrices of Winograd's F(4x4, 3x3) as Lavin and Gray give them (Fast Algorithms for
/// Convolutional Neural Networks, 2015, section 4.3): 4x4 outputs from 6x6 sources with 36
/// multiplications a pair of channels, where direct convolution needs 144.
namespace effnet::cpu::detail {

inline constexpr std::size_t tile_out = 4;      ///< rows and columns of outputs of a tile
inline constexpr std::size_t tile_src = 6;      ///< and of the sources they need
inline constexpr std::size_t tile_points = 36;  ///< products of a tile, for a pair of channels

/// v = B^T d, one column or row of a tile.
template <class Floats>
EFFNET_KERNEL_BODY void source_transform(const Floats (&d)[tile_src], Floats (&v)[tile_src]) {
  const Floats a = d[4] - 4.0f * d[2], b = d[3] - 4.0f * d[1];
  const Floats c = d[4] - d[2], e = d[3] - d[1];
  v[0] = (d[4] - 5.0f * d[2]) + 4.0f * d[0];
  v[1] = a + b;
  v[2] = a - b;
  v[3] = c + 2.0f * e;
  v[4] = c - 2.0f * e;
  v[5] = (d[5] - 5.0f * d[3]) + 4.0f * d[1];
}

/// y = A^T m.
template <class Floats>
EFFNET_KERNEL_BODY void output_transform(const Floats (&m)[tile_src], Floats (&y)[tile_out]) {
  const Floats s = m[1] + m[2], d = m[1] - m[2];
  const Floats t = m[3] + m[4], u = m[3] - m[4];
  y[0] = m[0] + s + t;
  y[1] = d + 2.0f * u;
  y[2] = s + 4.0f * t;
  y[3] = d + 8.0f * u + m[5];
}

/// u = G g.
template <class Floats>
EFFNET_KERNEL_BODY void weight_transform(const Floats (&g)[3], Floats (&u)[tile_src]) {
  const Floats even = g[0] + g[2], far = g[0] + 4.0f * g[2];
  u[0] = 0.25f * g[0];
  u[1] = (-1.0f / 6) * (even + g[1]);
  u[2] = (-1.0f / 6) * (even - g[1]);
  u[3] = (1.0f / 24) * (far + 2.0f * g[1]);
  u[4] = (1.0f / 24) * (far - 2.0f * g[1]);
  u[5] = g[2];
}

}  // namespace effnet::cpu::detail
