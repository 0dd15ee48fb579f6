#pragma once

#include <array>
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

/// u = G g, in double: weights are transformed once and read often.
constexpr std::array<double, tile_src> weight_transform(double g0, double g1, double g2) {
  const double even = g0 + g2, far = g0 + 4 * g2;
  return {g0 / 4, -(even + g1) / 6, -(even - g1) / 6, (far + 2 * g1) / 24, (far - 2 * g1) / 24, g2};
}

/// U = G g G^T of one 3x3 filter; `turned` by half a turn, as the gradient by the source reads it.
constexpr std::array<float, tile_points> transformed_filter(const float* g, bool turned) {
  std::array<std::array<double, tile_src>, 3> columns{};
  for (std::size_t x = 0; x < 3; ++x) {
    const auto at = [&](std::size_t y) {
      return static_cast<double>(turned ? g[8 - (y * 3 + x)] : g[y * 3 + x]);
    };
    columns[x] = weight_transform(at(0), at(1), at(2));
  }
  std::array<float, tile_points> to{};
  for (std::size_t y = 0; y < tile_src; ++y) {
    const auto row = weight_transform(columns[0][y], columns[1][y], columns[2][y]);
    for (std::size_t x = 0; x < tile_src; ++x) to[y * tile_src + x] = static_cast<float>(row[x]);
  }
  return to;
}

}  // namespace effnet::cpu::detail
