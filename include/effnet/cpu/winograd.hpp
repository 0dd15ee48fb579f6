#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/cpu/packed_weights.hpp>
#include <effnet/cpu/panels.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/winograd_kernel.hpp>

namespace effnet::cpu {

/// What `winograd_convolution` computes.
constexpr bool has_winograd(const conv_problem& p) {
  return p.kernel == 3 && p.stride == 1 && p.groups == 1;
}

/// A dense 3x3 convolution of stride 1 by Winograd's F(4x4, 3x3): a quarter of the multiplications,
/// within 2e-5 of the largest result, the more channels the farther. Chunks of tiles pass through
/// the cache one after another: sources transformed, multiplied with a panel of output channels at
/// each of the 36 points, transformed back with bias, activation and residual.
class winograd_convolution {
 public:
  winograd_convolution(const conv_problem& problem, const epilogue& then, isa best = best_isa())
      : then_(then),
        best_(best),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        panels_(static_cast<std::size_t>(problem.out), best),
        shape_(shape_of(problem, panels_.width(), workers_)),
        fetches_(problem.dst().elements() * sizeof(float) > cached_results) {}

  std::size_t scratch_bytes() const { return workers_ * worker_floats() * sizeof(float); }
  weight_layout layout() const {
    return {
        .kind = kernel_kind::winograd, .direct = {}, .block = static_cast<int>(panels_.width())};
  }
  std::string_view implementation() const {
    return for_isa<std::string_view>(best_, "winograd_portable", "winograd_avx2",
                                     "winograd_avx512");
  }
  static std::string_view reason() {
    return "dense 3x3 of stride 1, tiles enough: a quarter of the multiplications";
  }

  packed_weights pack(const float* oihw, const float* bias) const {
    packed_weights packed = unfilled();
    repack(oihw, bias, packed);
    return packed;
  }
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    fill_bias(bias, shape_.out, packed);
    transform_filters(oihw, shape_.in * 9, 9, false, packed);
  }
  /// For the gradient by the source: from the forward pass's weights, whose output channels are
  /// this convolution's sources.
  packed_weights pack_turned(const float* oihw) const {
    packed_weights packed = unfilled();
    fill_bias(nullptr, shape_.out, packed);
    repack_turned(oihw, packed);
    return packed;
  }
  void repack_turned(const float* oihw, packed_weights& packed) const {
    transform_filters(oihw, 9, shape_.out * 9, true, packed);
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    const auto* bias = reinterpret_cast<const float*>(packed.bias.data());
    const std::size_t chunks = (shape_.tiles + shape_.chunk - 1) / shape_.chunk;
    parallel_items(chunks, [&](std::size_t worker, std::size_t item) {
      float* v = reinterpret_cast<float*>(scratch) + worker * worker_floats();
      float* m = v + detail::tile_points * shape_.source_point;
      const std::size_t first = item * shape_.chunk;
      const std::size_t count = std::min(shape_.chunk, shape_.tiles - first);
      transform_sources(src, first, count, v);
      const auto* u = reinterpret_cast<const float*>(packed.weights.data());
      for (std::size_t panel = 0; panel < panels_.count(); ++panel) {
        const std::size_t channel = panels_.first(panel);
        for (std::size_t point = 0; point < detail::tile_points; ++point) {
          for (std::size_t t = count * point / detail::tile_points;
               fetches_ && t < count * (point + 1) / detail::tile_points; ++t)
            detail::fetch_results(shape_, dst + channel, first + t, panels_.channels(panel));
          multiply({.src = v + point * shape_.source_point,
                    .row_step = shape_.source_row,
                    .rows = count,
                    .weights = u,
                    .weight_step = panels_.columns(panel),
                    .depth = shape_.in,
                    .sums = m + point * shape_.product_point,
                    .sum_step = shape_.product_row,
                    .add = false},
                   panels_.registers(panel), best_);
          u += shape_.in * panels_.columns(panel);
        }
        transform_products({.then = then_,
                            .products = m,
                            .bias = bias + channel,
                            .channels = panels_.channels(panel),
                            .first = first,
                            .count = count,
                            .dst = dst + channel});
      }
    });
  }

 private:
  static detail::winograd_shape shape_of(const conv_problem& p, std::size_t columns,
                                         std::size_t workers) {
    detail::winograd_shape w = detail::winograd_shape_of(p);
    // Transformed sources of a chunk fill about a third of a megabyte, so that they and a panel's
    // weights and products stay in the second cache; as many chunks as threads, or a multiple.
    constexpr std::size_t least = 14, most = 48, cached = 96 * 1024;
    w.source_row = rounded_up(w.in, channel_block);
    const std::size_t fit = std::clamp(cached / (detail::tile_points * w.source_row), least, most);
    const std::size_t chunks = rounded_up((w.tiles + fit - 1) / fit, workers);
    w.chunk = (w.tiles + chunks - 1) / chunks;
    w.source_point = odd_lines(w.chunk * w.source_row);
    w.product_row = columns;
    w.product_point = odd_lines(w.chunk * w.product_row);
    return w;
  }

  std::size_t worker_floats() const {
    return detail::tile_points * (shape_.source_point + shape_.product_point);
  }
  packed_weights unfilled() const {
    return {aligned_buffer(detail::tile_points * shape_.in * panels_.all_columns() * sizeof(float)),
            aligned_buffer(shape_.out * sizeof(float))};
  }

  void transform_sources(const float* src, std::size_t first, std::size_t count, float* v) const {
    const auto run = for_isa(best_, detail::transform_sources_portable,
                             detail::transform_sources_avx2, detail::transform_sources_avx512);
    run(shape_, src, first, count, v);
  }
  void transform_products(const detail::winograd_results& to) const {
    const auto run = for_isa(best_, detail::transform_products_portable,
                             detail::transform_products_avx2, detail::transform_products_avx512);
    run(shape_, to);
  }

  /// [panel][point][in][columns of the panel].
  void transform_filters(const float* filters, std::size_t out_step, std::size_t in_step,
                         bool turned, packed_weights& packed) const {
    const auto run = for_isa(best_, detail::transform_filters_portable,
                             detail::transform_filters_avx2, detail::transform_filters_avx512);
    auto* to = reinterpret_cast<float*>(packed.weights.data());
    parallel_ranges(panels_.count(), detail::tile_points * panels_.width() * shape_.in,
                    [&](std::size_t begin, std::size_t end) {
                      for (std::size_t panel = begin; panel < end; ++panel) {
                        const std::size_t channel = panels_.first(panel);
                        run({.filters = filters + channel * out_step,
                             .out_step = out_step,
                             .in_step = in_step,
                             .turned = turned,
                             .in = shape_.in,
                             .channels = panels_.channels(panel),
                             .columns = panels_.columns(panel),
                             .u = to + channel * detail::tile_points * shape_.in});
                      }
                    });
  }

  static constexpr std::size_t cached_results = 8 << 20;  // bytes that stay in the third cache

  epilogue then_;
  isa best_;
  std::size_t workers_;
  panels panels_;
  detail::winograd_shape shape_;
  bool fetches_;  // what it stores to, in time
};

}  // namespace effnet::cpu
