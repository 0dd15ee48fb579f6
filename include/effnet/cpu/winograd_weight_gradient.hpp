#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/core/rounded_up.hpp>
#include <effnet/cpu/panels.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/winograd_weight_kernel.hpp>

namespace effnet::cpu {

/// The gradient of a dense 3x3 convolution of stride 1 by its weights, through Winograd's
/// F(4x4, 3x3): at each of its 36 points the gradient of the transformed filters is the sum over
/// tiles of transformed result gradients times transformed sources, a quarter of the
/// multiplications. Blocks of output channels, small enough that their sums stay in the cache, are
/// shared out among threads, and parts of the tiles where there are not blocks enough.
class winograd_weight_gradient {
 public:
  explicit winograd_weight_gradient(const conv_problem& problem, isa best = best_isa())
      : best_(best),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        panels_(static_cast<std::size_t>(problem.src.c), best),
        shape_(detail::winograd_shape_of(problem)) {
    const std::size_t point = detail::tile_points * panels_.all_columns();
    block_ = std::clamp(rounded_up(most_sums / point, channel_block), channel_block,
                        rounded_up(shape_.out, channel_block));
    const std::size_t blocks = (shape_.out + block_ - 1) / block_;
    block_ = rounded_up((shape_.out + blocks - 1) / blocks, channel_block);
    // As few parts as share the work out evenly, for each has sums of its own.
    const auto even = [&](std::size_t items) {
      return items % workers_ == 0 || items >= 4 * workers_;
    };
    while (!even(tile_parts_ * this->blocks()) && tile_parts_ * most_tiles < shape_.tiles)
      ++tile_parts_;
    shape_.chunk = std::min(most_tiles, (shape_.tiles + tile_parts_ - 1) / tile_parts_);
    shape_.source_row = odd_lines(panels_.all_columns());
    shape_.source_point = odd_lines(shape_.chunk * shape_.source_row);
    shape_.product_row = odd_lines(block_);
    shape_.product_point = odd_lines(shape_.chunk * shape_.product_row);
  }

  std::size_t scratch_bytes() const {
    return (workers_ * worker_floats() + tile_parts_ * blocks() * sum_floats()) * sizeof(float);
  }
  std::string_view implementation() const {
    return for_isa<std::string_view>(best_, "winograd_portable", "winograd_avx2",
                                     "winograd_avx512");
  }

  /// Overwrites `diff_oihw`.
  void run(const float* src, const float* diff_dst, float* diff_oihw, std::byte* scratch) const {
    auto* own = reinterpret_cast<float*>(scratch);
    float* sums = own + workers_ * worker_floats();
    parallel_items(tile_parts_ * blocks(), [&](std::size_t worker, std::size_t item) {
      const std::size_t part = item / blocks(), block = item % blocks();
      add_tiles(src, diff_dst, shape_.tiles * part / tile_parts_,
                shape_.tiles * (part + 1) / tile_parts_, block * block_,
                own + worker * worker_floats(), sums + item * sum_floats());
    });
    parallel_ranges(shape_.out, tile_parts_ * detail::tile_points * shape_.in,
                    [&](std::size_t first, std::size_t last) {
                      for (std::size_t o = first; o < last; ++o) finish(sums, o, diff_oihw);
                    });
  }

 private:
  static constexpr std::size_t most_sums = 384 * 1024;  // floats of a block
  static constexpr std::size_t most_tiles = 48;

  std::size_t blocks() const { return (shape_.out + block_ - 1) / block_; }
  std::size_t sum_floats() const {  // [point][output channel of a block][source channel]
    return detail::tile_points * block_ * panels_.all_columns();
  }
  std::size_t worker_floats() const {
    return detail::tile_points * (shape_.source_point + shape_.product_point);
  }

  /// Sums over tiles [from, to) of the output channels from `channel` on.
  void add_tiles(const float* src, const float* diff_dst, std::size_t from, std::size_t to,
                 std::size_t channel, float* v, float* sums) const {
    float* z = v + detail::tile_points * shape_.source_point;
    const std::size_t outs = std::min(block_, shape_.out - channel);
    const auto transform_sources =
        for_isa(best_, detail::transform_sources_portable, detail::transform_sources_avx2,
                detail::transform_sources_avx512);
    const auto transform_gradients =
        for_isa(best_, detail::transform_gradients_portable, detail::transform_gradients_avx2,
                detail::transform_gradients_avx512);
    for (std::size_t first = from; first < to; first += shape_.chunk) {
      const std::size_t count = std::min(shape_.chunk, to - first);
      transform_sources(shape_, src, first, count, v);
      transform_gradients(shape_, diff_dst + channel, outs, first, count, z);
      for (std::size_t point = 0; point < detail::tile_points; ++point)
        for (std::size_t panel = 0; panel < panels_.count(); ++panel)
          multiply({.src = z + point * shape_.product_point,
                    .row_step = 1,
                    .depth_step = shape_.product_row,
                    .rows = outs,
                    .weights = v + point * shape_.source_point + panels_.first(panel),
                    .weight_step = shape_.source_row,
                    .depth = count,
                    .sums = sums + point * block_ * panels_.all_columns() + panels_.first(panel),
                    .sum_step = panels_.all_columns(),
                    .add = first > from},
                   panels_.registers(panel), best_);
    }
  }

  /// One output channel's filters from the sums of all parts.
  void finish(float* sums, std::size_t o, float* diff_oihw) const {
    const auto transform =
        for_isa(best_, detail::transform_filter_gradients_portable,
                detail::transform_filter_gradients_avx2, detail::transform_filter_gradients_avx512);
    transform({.sums = sums + o / block_ * sum_floats() + o % block_ * panels_.all_columns(),
               .point_step = block_ * panels_.all_columns(),
               .part_step = blocks() * sum_floats(),
               .parts = tile_parts_,
               .in = shape_.in,
               .filters = diff_oihw + o * shape_.in * 9});
  }

  isa best_;
  std::size_t workers_;
  panels panels_;
  detail::winograd_shape shape_;
  std::size_t block_ = 0;  // output channels
  std::size_t tile_parts_ = 1;
};

}  // namespace effnet::cpu
