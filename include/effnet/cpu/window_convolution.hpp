#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/cpu/packed_weights.hpp>
#include <effnet/cpu/panels.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/result_store.hpp>
#include <effnet/cpu/window_rows.hpp>

namespace effnet::cpu {

/// A dense convolution whose windows are read in place: a few rows of results at a time, from their
/// source rows between zeros. For a network's first layer and for those of stride 2, which Winograd
/// is not for.
class window_convolution {
 public:
  window_convolution(const conv_problem& problem, const epilogue& then, isa best = best_isa())
      : problem_(problem),
        then_(then),
        best_(best),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        out_(static_cast<std::size_t>(problem.out)),
        kernel_(static_cast<std::size_t>(problem.kernel)),
        panels_(out_, best),
        rows_(problem) {}

  std::size_t scratch_bytes() const { return workers_ * worker_floats() * sizeof(float); }
  weight_layout layout() const {
    return {.kind = kernel_kind::window, .direct = {}, .block = static_cast<int>(panels_.width())};
  }
  std::string_view implementation() const {
    return for_isa<std::string_view>(best_, "window_portable", "window_avx2", "window_avx512");
  }
  static std::string_view reason() {
    return "no Winograd: a window's rows are runs of the source's";
  }

  packed_weights pack(const float* oihw, const float* bias) const {
    packed_weights packed{
        aligned_buffer(panels_.all_columns() * kernel_ * rows_.run() * sizeof(float)),
        aligned_buffer(out_ * sizeof(float))};
    repack(oihw, bias, packed);
    return packed;
  }
  /// [panel][row][column][in][columns of the panel].
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    fill_bias(bias, out_, packed);
    const std::size_t in = rows_.run() / kernel_, taps = kernel_ * kernel_;
    const auto weight = [&](std::size_t o, std::size_t k) {
      return oihw[(o * in + k % in) * taps + k / in];
    };
    auto* to = reinterpret_cast<float*>(packed.weights.data());
    for (std::size_t panel = 0; panel < panels_.count(); ++panel)
      panels_.pack(panel, kernel_ * rows_.run(), weight,
                   to + panels_.first(panel) * kernel_ * rows_.run());
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    const shape4 d = problem_.dst();
    const auto height = static_cast<std::size_t>(d.h);
    const std::size_t parts = (height + rows_at_a_time - 1) / rows_at_a_time;
    const auto stride = static_cast<std::size_t>(problem_.stride);
    parallel_items(
        static_cast<std::size_t>(d.n) * parts, [&](std::size_t worker, std::size_t item) {
          const std::size_t image = item / parts, first = item % parts * rows_at_a_time;
          const std::size_t last = std::min(height, first + rows_at_a_time);
          float* sums = reinterpret_cast<float*>(scratch) + worker * worker_floats();
          float* rows = sums + sum_floats();
          rows_.copy(src, image, first * stride, rows_.rows(last - first), rows);
          for (std::size_t panel = 0; panel < panels_.count(); ++panel)
            for (std::size_t y = first; y < last; ++y)
              make_row(packed, panel, rows + (y - first) * stride * rows_.row(), sums,
                       dst + (image * height + y) * static_cast<std::size_t>(d.w) * out_);
        });
  }

 private:
  static constexpr std::size_t rows_at_a_time = 8;  // of results

  std::size_t sum_floats() const {
    return static_cast<std::size_t>(problem_.dst().w) * panels_.width();
  }
  std::size_t worker_floats() const {
    return sum_floats() + rows_.floats(rows_.rows(rows_at_a_time));
  }

  /// One row of results for the channels of a panel, from the source rows of its windows.
  void make_row(const packed_weights& packed, std::size_t panel, const float* rows, float* sums,
                float* dst) const {
    const auto* weights = reinterpret_cast<const float*>(packed.weights.data());
    const std::size_t channel = panels_.first(panel), columns = panels_.columns(panel);
    const auto width = static_cast<std::size_t>(problem_.dst().w);
    multiply({.src = rows,
              .row_step = rows_.step(),
              .rows = width,
              .weights = weights + channel * kernel_ * rows_.run(),
              .weight_step = columns,
              .depth = rows_.run(),
              .runs = kernel_,
              .run_step = rows_.row(),
              .sums = sums,
              .sum_step = columns,
              .add = false},
             panels_.registers(panel), best_);
    store_results({.sums = sums,
                   .sum_step = columns,
                   .rows = width,
                   .channels = panels_.channels(panel),
                   .bias = reinterpret_cast<const float*>(packed.bias.data()) + channel,
                   .then = then_,
                   .dst = dst + channel,
                   .dst_step = out_},
                  best_);
  }

  conv_problem problem_;
  epilogue then_;
  isa best_;
  std::size_t workers_, out_, kernel_;
  panels panels_;
  window_rows rows_;
};

}  // namespace effnet::cpu
