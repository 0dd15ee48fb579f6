#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/cpu/packed_weights.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/winograd_kernel.hpp>

namespace effnet::cpu {

/// What `winograd_convolution` computes.
constexpr bool has_winograd(const conv_problem& p) {
  return p.kernel == 3 && p.stride == 1 && p.groups == 1;
}

/// A dense 3x3 convolution of stride 1 by Winograd's F(4x4, 3x3): a quarter of the multiplications,
/// at a relative error of some 1e-6. Chunks of tiles pass through the cache one after another:
/// sources transformed, multiplied with a block of output channels at each of the 36 points,
/// transformed back with bias, activation and residual.
class winograd_convolution {
 public:
  winograd_convolution(const conv_problem& problem, const epilogue& then, isa best = best_isa())
      : then_(then),
        best_(best),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        shape_(shape_of(problem, best, workers_)) {}

  std::size_t scratch_bytes() const { return workers_ * worker_floats() * sizeof(float); }
  weight_layout layout() const {
    return {.kind = kernel_kind::winograd, .direct = {}, .block = static_cast<int>(block())};
  }
  std::string_view implementation() const {
    return best_ == isa::avx512 ? "winograd_avx512"
           : best_ == isa::avx2 ? "winograd_avx2"
                                : "winograd_portable";
  }

  packed_weights pack(const float* oihw, const float* bias) const {
    packed_weights packed{aligned_buffer(weight_floats() * sizeof(float)),
                          aligned_buffer(shape_.out * sizeof(float))};
    repack(oihw, bias, packed);
    return packed;
  }
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    fill_bias(bias, shape_.out, packed);
    transform_filters(oihw, shape_.in * 9, 9, false, packed);
  }
  /// For the gradient by the source: from the forward pass's weights, whose output channels are
  /// this convolution's sources.
  void repack_turned(const float* oihw, packed_weights& packed) const {
    transform_filters(oihw, 9, shape_.out * 9, true, packed);
  }
  packed_weights pack_turned(const float* oihw) const {
    packed_weights packed{aligned_buffer(weight_floats() * sizeof(float)),
                          aligned_buffer(shape_.out * sizeof(float))};
    fill_bias(nullptr, shape_.out, packed);
    repack_turned(oihw, packed);
    return packed;
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    const auto kernel = best_ == isa::avx512 ? detail::winograd_avx512
                        : best_ == isa::avx2 ? detail::winograd_avx2
                                             : detail::winograd_portable;
    const auto* u = reinterpret_cast<const float*>(packed.weights.data());
    const auto* bias = reinterpret_cast<const float*>(packed.bias.data());
    const std::size_t chunks = (shape_.tiles + shape_.chunk - 1) / shape_.chunk;
    parallel_items(chunks, [&](std::size_t worker, std::size_t item) {
      float* v = reinterpret_cast<float*>(scratch) + worker * worker_floats();
      float* m = v + detail::tile_points * shape_.source_point;
      const std::size_t first = item * shape_.chunk;
      kernel(shape_, then_, src, u, bias, dst, v, m, first,
             std::min(shape_.chunk, shape_.tiles - first));
    });
  }

 private:
  static detail::winograd_shape shape_of(const conv_problem& p, isa best, std::size_t workers) {
    const shape4 d = p.dst();
    detail::winograd_shape w{};
    w.height = p.src.h, w.width = p.src.w, w.top = p.pad.top, w.left = p.pad.left;
    w.out_height = d.h, w.out_width = d.w;
    w.in = static_cast<std::size_t>(p.src.c), w.out = static_cast<std::size_t>(d.c);
    const auto tiles_of = [](int size) {
      return rounded_up(static_cast<std::size_t>(size), detail::tile_out) / detail::tile_out;
    };
    w.rows = tiles_of(d.h), w.columns = tiles_of(d.w);
    w.tiles = static_cast<std::size_t>(p.src.n) * w.rows * w.columns;
    // Transformed sources of a chunk fill about a third of a megabyte, so that they and a block's
    // weights and products stay in the second cache. Chunks are whole kernel rows and a multiple of
    // the threads, where there are enough tiles.
    constexpr std::size_t row = 12, most = 48, cached = 96 * 1024;
    w.source_row = rounded_up(w.in, channel_block);
    const std::size_t fit =
        std::clamp(cached / (detail::tile_points * w.source_row) / row * row, row, most);
    const std::size_t chunks = rounded_up((w.tiles + fit - 1) / fit, workers);
    w.chunk = std::min(rounded_up((w.tiles + chunks - 1) / chunks, row), fit);
    // An odd number of cache lines between points: 36 of them at powers of two would fall on each
    // other in the cache.
    const auto odd_lines = [](std::size_t floats) {
      return (rounded_up(floats, channel_block) / channel_block | 1) * channel_block;
    };
    w.source_point = odd_lines(w.chunk * w.source_row);
    w.product_row = block_of(best);
    w.product_point = odd_lines(w.chunk * w.product_row);
    return w;
  }

  static std::size_t block_of(isa best) {
    return best == isa::avx512 ? detail::winograd_block<floats16>
           : best == isa::avx2 ? detail::winograd_block<floats8>
                               : detail::winograd_block<floats4>;
  }
  std::size_t block() const { return block_of(best_); }
  std::size_t worker_floats() const {
    return detail::tile_points * (shape_.source_point + shape_.product_point);
  }
  std::size_t weight_floats() const {
    return detail::tile_points * shape_.in * rounded_up(shape_.out, block() / 2);
  }

  /// [block][point][in][channels of the block]; a last block of at most one register is that wide.
  void transform_filters(const float* filters, std::size_t out_step, std::size_t in_step,
                         bool turned, packed_weights& packed) const {
    auto* to = reinterpret_cast<float*>(packed.weights.data());
    const std::size_t blocks = (shape_.out + block() - 1) / block();
    parallel_ranges(blocks, 512 * block() * shape_.in, [&](std::size_t from, std::size_t last) {
      for (std::size_t b = from; b < last; ++b) {
        const std::size_t channel = b * block(), left = shape_.out - channel;
        const std::size_t wide = left > block() / 2 ? block() : block() / 2;
        float* u = to + channel * detail::tile_points * shape_.in;
        for (std::size_t i = 0; i < shape_.in; ++i)
          for (std::size_t o = 0; o < wide; ++o) {
            std::array<float, detail::tile_points> filter{};
            if (o < left)
              filter = detail::transformed_filter(filters + (channel + o) * out_step + i * in_step,
                                                  turned);
            for (std::size_t point = 0; point < detail::tile_points; ++point)
              u[(point * shape_.in + i) * wide + o] = filter[point];
          }
      }
    });
  }

  epilogue then_;
  isa best_;
  std::size_t workers_;
  detail::winograd_shape shape_;
};

}  // namespace effnet::cpu
