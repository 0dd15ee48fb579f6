#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/cpu/panels.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/window_rows.hpp>

namespace effnet::cpu {

/// The gradient of a dense convolution by its weights, whose windows are read in place: for each of
/// the kernel's rows the sum over pixels of the result's gradients times their windows' row. Parts
/// of the batch have sums of their own, which are added in their order.
class window_weight_gradient {
 public:
  explicit window_weight_gradient(const conv_problem& problem, isa best = best_isa())
      : problem_(problem),
        best_(best),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        out_(static_cast<std::size_t>(problem.out)),
        kernel_(static_cast<std::size_t>(problem.kernel)),
        rows_(problem),
        panels_(rows_.run(), best) {
    // As few parts as share the work out evenly.
    const auto even = [&](std::size_t items) {
      return items % workers_ == 0 || items >= 4 * workers_;
    };
    while (!even(parts_ * kernel_) && parts_ < results()) ++parts_;
  }

  std::size_t scratch_bytes() const {
    return (workers_ * rows_.floats(1) + parts_ * kernel_ * sum_floats()) * sizeof(float);
  }
  std::string_view implementation() const {
    return for_isa<std::string_view>(best_, "window_portable", "window_avx2", "window_avx512");
  }

  /// Overwrites `diff_oihw`.
  void run(const float* src, const float* diff_dst, float* diff_oihw, std::byte* scratch) const {
    auto* own = reinterpret_cast<float*>(scratch);
    float* sums = own + workers_ * rows_.floats(1);
    parallel_items(parts_ * kernel_, [&](std::size_t worker, std::size_t item) {
      const std::size_t part = item / kernel_, ky = item % kernel_;
      add_rows(src, diff_dst, results() * part / parts_, results() * (part + 1) / parts_, ky,
               own + worker * rows_.floats(1), sums + item * sum_floats());
    });
    parallel_ranges(out_, parts_ * kernel_ * rows_.run(), [&](std::size_t first, std::size_t last) {
      for (std::size_t o = first; o < last; ++o) finish(sums, o, diff_oihw);
    });
  }

 private:
  /// Rows of results of the whole batch.
  std::size_t results() const {
    return static_cast<std::size_t>(problem_.dst().n) * static_cast<std::size_t>(problem_.dst().h);
  }
  /// Of a row of the kernel: [out][columns of all panels].
  std::size_t sum_floats() const { return out_ * panels_.all_columns(); }

  /// Sums over the rows [from, to) of results, for row `ky` of the kernel.
  void add_rows(const float* src, const float* diff_dst, std::size_t from, std::size_t to,
                std::size_t ky, float* row, float* sums) const {
    const shape4 d = problem_.dst();
    const auto height = static_cast<std::size_t>(d.h), width = static_cast<std::size_t>(d.w);
    std::fill_n(row, rows_.floats(1), 0.0f);
    for (std::size_t i = from; i < to; ++i) {
      const std::size_t y = i % height * static_cast<std::size_t>(problem_.stride) + ky;
      rows_.copy(src, i / height, y, 1, row);
      for (std::size_t panel = 0; panel < panels_.count(); ++panel)
        multiply({.src = diff_dst + i * width * out_,
                  .row_step = 1,
                  .depth_step = out_,
                  .rows = out_,
                  .weights = row + panels_.first(panel),
                  .weight_step = rows_.step(),
                  .depth = width,
                  .sums = sums + panels_.first(panel),
                  .sum_step = panels_.all_columns(),
                  .add = i > from},
                 panels_.registers(panel), best_);
    }
  }

  /// One output channel's filters from the sums of all parts.
  void finish(const float* sums, std::size_t o, float* diff_oihw) const {
    const std::size_t in = rows_.run() / kernel_;
    float* to = diff_oihw + o * in * kernel_ * kernel_;
    for (std::size_t ky = 0; ky < kernel_; ++ky)
      for (std::size_t k = 0; k < rows_.run(); ++k) {
        float sum = 0;
        for (std::size_t part = 0; part < parts_; ++part)
          sum += sums[(part * kernel_ + ky) * sum_floats() + o * panels_.all_columns() + k];
        to[k % in * kernel_ * kernel_ + ky * kernel_ + k / in] = sum;
      }
  }

  conv_problem problem_;
  isa best_;
  std::size_t workers_, out_, kernel_;
  window_rows rows_;
  panels panels_;
  std::size_t parts_ = 1;
};

}  // namespace effnet::cpu
