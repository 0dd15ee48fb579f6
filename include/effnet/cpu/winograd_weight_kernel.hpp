#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cpu/winograd_kernel.hpp>

/// The transforms of Winograd's gradient by the weights: with y = A^T M A, M = U . V and
/// U = G g G^T, the gradient of U is the sum over tiles of (A dy A^T) . V, and that of g is
/// G^T dU G.
namespace effnet::cpu::detail {

/// z = A dy, one column or row of a tile's gradients.
template <class Floats>
EFFNET_KERNEL_BODY void gradient_transform(const Floats (&y)[tile_out], Floats (&z)[tile_src]) {
  const Floats even = y[0] + y[2], odd = y[1] + y[3];
  const Floats near = y[0] + 4.0f * y[2], far = 2.0f * y[1] + 8.0f * y[3];
  z[0] = y[0];
  z[1] = even + odd;
  z[2] = even - odd;
  z[3] = near + far;
  z[4] = near - far;
  z[5] = y[3];
}

/// dg = G^T du.
template <class Floats>
EFFNET_KERNEL_BODY void filter_gradient(const Floats (&u)[tile_src], Floats (&g)[3]) {
  const Floats s = (-1.0f / 6) * (u[1] + u[2]), t = (1.0f / 24) * (u[3] + u[4]);
  g[0] = 0.25f * u[0] + s + t;
  g[1] = (-1.0f / 6) * (u[1] - u[2]) + (1.0f / 12) * (u[3] - u[4]);
  g[2] = s + 4.0f * t + u[5];
}

/// Z = A dY A^T of `count` tiles from tile `first` on, of `channels` channels from `diff_dst` on.
template <class Floats>
EFFNET_KERNEL_BODY void transform_gradients(const winograd_shape& w, const float* diff_dst,
                                            std::size_t channels, std::size_t first,
                                            std::size_t count, float* z) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  const auto width = static_cast<std::size_t>(w.out_width);
  for (std::size_t t = 0; t < count; ++t) {
    const result_tile tile = result_tile_of(w, first + t);
    const std::size_t high = tile.high, wide = tile.wide;
    const float* corner = diff_dst + tile.first;
    for (std::size_t c = 0; c < channels; c += lanes) {
      const std::size_t part = std::min(lanes, channels - c);
      const bool whole = high == tile_out && wide == tile_out && part == lanes;
      Floats columns[tile_src][tile_out];
#pragma GCC unroll 4
      for (std::size_t x = 0; x < tile_out; ++x) {
        Floats down[tile_out], lines[tile_src];
#pragma GCC unroll 4
        for (std::size_t y = 0; y < tile_out; ++y) {
          const float* at = corner + (y * width + x) * w.out + c;
          down[y] = Floats{};
          if (whole)
            load(at, down[y]);
          else if (y < high && x < wide)
            load_part(at, part, down[y]);
        }
        gradient_transform(down, lines);
#pragma GCC unroll 6
        for (std::size_t y = 0; y < tile_src; ++y) columns[y][x] = lines[y];
      }
      float* to = z + t * w.product_row + c;
#pragma GCC unroll 6
      for (std::size_t y = 0; y < tile_src; ++y) {
        Floats points[tile_src];
        gradient_transform(columns[y], points);
#pragma GCC unroll 6
        for (std::size_t x = 0; x < tile_src; ++x)
          store(points[x], to + (y * tile_src + x) * w.product_point);
      }
    }
  }
}

/// The filters of one output channel from what was summed up at the points.
struct filter_gradients {
  float* sums;  ///< [part][point][in]; the parts are added into the first
  std::size_t point_step, part_step, parts;
  std::size_t in;
  float* filters;  ///< [in][9]
};

template <class Floats>
EFFNET_KERNEL_BODY void transform_filter_gradients(const filter_gradients& f) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  for (std::size_t i = 0; i < f.in; i += lanes) {
    Floats rows[3][tile_src];
    for (std::size_t x = 0; x < tile_src; ++x) {
      Floats u[tile_src], g[3];
      for (std::size_t y = 0; y < tile_src; ++y) {
        const float* at = f.sums + (y * tile_src + x) * f.point_step + i;
        load(at, u[y]);
        for (std::size_t part = 1; part < f.parts; ++part) {
          Floats more;
          load(at + part * f.part_step, more);
          u[y] += more;
        }
      }
      filter_gradient(u, g);
      for (std::size_t y = 0; y < 3; ++y) rows[y][x] = g[y];
    }
    float taps[9][lanes];
    for (std::size_t y = 0; y < 3; ++y) {
      Floats g[3];
      filter_gradient(rows[y], g);
      for (std::size_t x = 0; x < 3; ++x) store(g[x], taps[y * 3 + x]);
    }
    for (std::size_t k = 0; k < lanes && i + k < f.in; ++k)
      for (std::size_t t = 0; t < 9; ++t) f.filters[(i + k) * 9 + t] = taps[t][k];
  }
}

inline void transform_gradients_portable(const winograd_shape& w, const float* diff_dst,
                                         std::size_t channels, std::size_t first, std::size_t count,
                                         float* z) {
  transform_gradients<floats4>(w, diff_dst, channels, first, count, z);
}
EFFNET_TARGET_AVX2 inline void transform_gradients_avx2(const winograd_shape& w,
                                                        const float* diff_dst, std::size_t channels,
                                                        std::size_t first, std::size_t count,
                                                        float* z) {
  transform_gradients<floats8>(w, diff_dst, channels, first, count, z);
}
EFFNET_TARGET_AVX512 inline void transform_gradients_avx512(const winograd_shape& w,
                                                            const float* diff_dst,
                                                            std::size_t channels, std::size_t first,
                                                            std::size_t count, float* z) {
  transform_gradients<floats16>(w, diff_dst, channels, first, count, z);
}
inline void transform_filter_gradients_portable(const filter_gradients& f) {
  transform_filter_gradients<floats4>(f);
}
EFFNET_TARGET_AVX2 inline void transform_filter_gradients_avx2(const filter_gradients& f) {
  transform_filter_gradients<floats8>(f);
}
EFFNET_TARGET_AVX512 inline void transform_filter_gradients_avx512(const filter_gradients& f) {
  transform_filter_gradients<floats16>(f);
}

}  // namespace effnet::cpu::detail
