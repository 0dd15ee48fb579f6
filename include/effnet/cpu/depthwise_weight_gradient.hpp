#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/cpu/depthwise_groups.hpp>
#include <effnet/cpu/parallel.hpp>

namespace effnet::cpu {

namespace detail {

/// What one row of a result's gradients adds to the gradients of a panel's filters: sums[ky][kx][c]
/// += sum over x of diff_dst[x][c] * rows[ky][x * stride + kx][c].
struct depthwise_gradient_row {
  const float* const* rows;  ///< as `depthwise_row` has them
  std::size_t kernel, stride;
  std::size_t width;      ///< pixels of the result
  const float* diff_dst;  ///< [width][step]
  std::size_t step;       ///< in floats
  std::size_t channels;
  float* sums;  ///< [kernel * kernel][2 registers]
};

/// Kernel rows [ky, ky + Rows) for one register of channels: their sums stay in registers, and a
/// gradient that is loaded once meets its whole window.
template <class Floats, std::size_t Kernel, std::size_t Rows, bool Whole>
EFFNET_KERNEL_BODY void add_window_rows(const depthwise_gradient_row& d, std::size_t ky,
                                        std::size_t c, std::size_t part) {
  constexpr std::size_t pixel = 2 * lanes_of<Floats>;
  float* to = d.sums + ky * Kernel * pixel + c;
  Floats sums[Rows * Kernel];
  const float* rows[Rows];
#pragma GCC unroll 25
  for (std::size_t t = 0; t < Rows * Kernel; ++t) load(to + t * pixel, sums[t]);
#pragma GCC unroll 5
  for (std::size_t r = 0; r < Rows; ++r) rows[r] = d.rows[ky + r] + c;
  const float* diff = d.diff_dst + c;
  for (std::size_t x = 0; x < d.width; ++x, diff += d.step) {
    Floats gradient, value;
    // What the next row reads: pieces of pixels are too far apart for the hardware to see.
    __builtin_prefetch(diff + d.width * d.step, 0, 2);
    if constexpr (Whole)
      load(diff, gradient);
    else
      load_part(diff, part, gradient);
#pragma GCC unroll 5
    for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 5
      for (std::size_t kx = 0; kx < Kernel; ++kx) {
        load(rows[r] + (x * d.stride + kx) * pixel, value);
        sums[r * Kernel + kx] += gradient * value;
      }
  }
#pragma GCC unroll 25
  for (std::size_t t = 0; t < Rows * Kernel; ++t) store(sums[t], to + t * pixel);
}

/// As many kernel rows at a time as registers hold.
template <class Floats, std::size_t Kernel, bool Whole>
EFFNET_KERNEL_BODY void add_window(const depthwise_gradient_row& d, std::size_t c,
                                   std::size_t part) {
  if constexpr (Kernel == 3 || lanes_of<Floats> == 16) {
    add_window_rows<Floats, Kernel, Kernel, Whole>(d, 0, c, part);
  } else {
    add_window_rows<Floats, Kernel, 2, Whole>(d, 0, c, part);
    add_window_rows<Floats, Kernel, 2, Whole>(d, 2, c, part);
    add_window_rows<Floats, Kernel, 1, Whole>(d, 4, c, part);
  }
}
template <class Floats, std::size_t Kernel>
EFFNET_KERNEL_BODY void add_panel(const depthwise_gradient_row& d) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  for (std::size_t c = 0; c < d.channels; c += lanes)
    if (c + lanes <= d.channels)
      add_window<Floats, Kernel, true>(d, c, lanes);
    else
      add_window<Floats, Kernel, false>(d, c, d.channels - c);
}
template <class Floats>
EFFNET_KERNEL_BODY void depthwise_gradient_body(const depthwise_gradient_row& shared) {
  const depthwise_gradient_row d = shared;  // a copy that the stores cannot change
  if (d.kernel == 3)
    add_panel<Floats, 3>(d);
  else
    add_panel<Floats, 5>(d);
}
inline void depthwise_gradient_portable(const depthwise_gradient_row& d) {
  depthwise_gradient_body<floats4>(d);
}
EFFNET_TARGET_AVX2 inline void depthwise_gradient_avx2(const depthwise_gradient_row& d) {
  depthwise_gradient_body<floats8>(d);
}
EFFNET_TARGET_AVX512 inline void depthwise_gradient_avx512(const depthwise_gradient_row& d) {
  depthwise_gradient_body<floats16>(d);
}

}  // namespace detail

/// Whether the kernel below is written for a problem: depthwise 3x3 and 5x5.
constexpr bool has_depthwise_weight_gradient(const conv_problem& p) {
  return p.depthwise() && (p.kernel == 3 || p.kernel == 5);
}

/// The gradient of a depthwise convolution by its weights, of a source as it is or still to be
/// normalised. Sums are taken of fixed parts of a batch and added in their order, so the result
/// does not depend on the number of threads.
class depthwise_weight_gradient {
 public:
  explicit depthwise_weight_gradient(const conv_problem& problem, bool normalised_src = false,
                                     isa best = best_isa())
      : problem_(problem),
        best_(best),
        normalised_(normalised_src),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        groups_(problem, best) {
    constexpr std::size_t enough = 64;  // items for the threads
    parts_ = std::clamp<std::size_t>(enough / groups_.count(), 1, images());
  }

  std::size_t scratch_bytes() const {
    return (workers_ * groups_.floats() + parts_ * part_floats()) * sizeof(float);
  }
  std::string_view implementation() const {
    return for_isa<std::string_view>(best_, "depthwise_portable", "depthwise_avx2",
                                     "depthwise_avx512");
  }

  bool reads_normalised() const { return normalised_; }
  /// Overwrites `diff_weights` (C,1,k,k).
  void run(const float* src, const float* diff_dst, float* diff_weights, std::byte* scratch) const {
    run({.plain = src}, diff_dst, diff_weights, scratch);
  }
  void run(const normalised& src, const float* diff_dst, float* diff_weights,
           std::byte* scratch) const {
    run({.becomes = &src}, diff_dst, diff_weights, scratch);
  }

 private:
  std::size_t images() const { return static_cast<std::size_t>(problem_.src.n); }
  std::size_t taps() const {
    return static_cast<std::size_t>(problem_.kernel) * static_cast<std::size_t>(problem_.kernel);
  }
  std::size_t panel_floats() const { return taps() * groups_.panels().width(); }
  std::size_t part_floats() const { return groups_.panels().count() * panel_floats(); }

  void run(const depthwise_source& src, const float* diff_dst, float* diff_weights,
           std::byte* scratch) const {
    const shape4 d = problem_.dst();
    const auto height = static_cast<std::size_t>(d.h), width = static_cast<std::size_t>(d.w);
    const auto channels = static_cast<std::size_t>(d.c);
    const panels& panels = groups_.panels();
    float* sums = reinterpret_cast<float*>(scratch) + workers_ * groups_.floats();
    std::fill_n(sums, parts_ * part_floats(), 0.0f);
    const auto add_row =
        for_isa(best_, detail::depthwise_gradient_portable, detail::depthwise_gradient_avx2,
                detail::depthwise_gradient_avx512);
    parallel_items(parts_ * groups_.count(), [&](std::size_t worker, std::size_t item) {
      const std::size_t part = item / groups_.count(), group = item % groups_.count();
      for (std::size_t image = images() * part / parts_; image < images() * (part + 1) / parts_;
           ++image)
        groups_.pass(src, image, group, 0, height,
                     reinterpret_cast<float*>(scratch) + worker * groups_.floats(),
                     [&](std::size_t y, std::size_t panel, const float* const* rows) {
                       add_row({.rows = rows,
                                .kernel = static_cast<std::size_t>(problem_.kernel),
                                .stride = static_cast<std::size_t>(problem_.stride),
                                .width = width,
                                .diff_dst = diff_dst + (image * height + y) * width * channels +
                                            panels.first(panel),
                                .step = channels,
                                .channels = panels.channels(panel),
                                .sums = sums + part * part_floats() + panel * panel_floats()});
                     });
    });
    parallel_ranges(channels, parts_ * taps(), [&](std::size_t first, std::size_t last) {
      for (std::size_t c = first; c < last; ++c) {
        const float* of = sums + c / panels.width() * panel_floats() + c % panels.width();
        for (std::size_t tap = 0; tap < taps(); ++tap) {
          float total = 0;
          for (std::size_t part = 0; part < parts_; ++part)
            total += of[part * part_floats() + tap * panels.width()];
          diff_weights[c * taps() + tap] = total;
        }
      }
    });
  }

  conv_problem problem_;
  isa best_;
  bool normalised_;
  std::size_t workers_;
  depthwise_groups groups_;
  std::size_t parts_ = 1;
};

}  // namespace effnet::cpu
