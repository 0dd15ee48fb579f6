#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string_view>

#include <effnet/backend/problems.hpp>
#include <effnet/core/rounded_up.hpp>
#include <effnet/cpu/bf16_product.hpp>
#include <effnet/cpu/normalised_rows.hpp>
#include <effnet/cpu/panel_copy.hpp>
#include <effnet/cpu/panels.hpp>
#include <effnet/cpu/parallel.hpp>

namespace effnet::cpu {

/// The gradient of a dense 1x1 convolution by its weights: diff_weights[o][i] = sum over pixels of
/// diff_dst[pixel][o] * src[pixel][i]. Some pixels of both at a time are copied next to each other
/// into the second cache. Blocks of the result are shared out among threads, and parts of the
/// pixels where there are more of them than weights; their sums are added in order. A block too
/// large for the second cache is made in chunks. In bf16 a sum takes two pixels at a time.
class pointwise_weight_gradient {
 public:
  /// `normalised_src`: of a source that is still to be normalised.
  explicit pointwise_weight_gradient(const conv_problem& problem, bool normalised_src = false,
                                     products of = products::fp32, isa best = best_isa())
      : of_(of),
        best_(best),
        normalised_src_(normalised_src),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        pixels_(problem.src.elements() / static_cast<std::size_t>(problem.src.c)),
        in_(static_cast<std::size_t>(problem.src.c)),
        out_(static_cast<std::size_t>(problem.out)),
        panels_(in_, best) {
    share_out();
    cut_chunks();
    // These pixels and the next in the second cache.
    constexpr std::size_t cached = 64 * 1024, least = 48, most = 256;
    depth_ = std::clamp(cached / (chunk_panels_ * panels_.width() + chunk_outs_), least, most);
    depth_ = depth_ / 2 * 2;                 // whole pairs
    const bool apart = best != isa::avx512;  // pieces of a pixel of one cache line, pages apart
    copies_src_ = rounds() || apart || normalised_src || panels_.all_columns() != in_ ||
                  fall_together(in_, second_cache);
    copies_diff_ = rounds() || apart || fall_together(out_, first_cache);
  }

  std::size_t scratch_bytes() const {
    return (workers_ * worker_floats() + (direct() ? 0 : pixel_parts_ * sum_floats())) *
           sizeof(float);
  }
  std::string_view implementation() const {
    if (rounds()) return "pointwise_bf16";
    return for_isa<std::string_view>(best_, "pointwise_portable", "pointwise_avx2",
                                     "pointwise_avx512");
  }

  bool reads_normalised() const { return normalised_src_; }

  /// Overwrites `diff_oi`.
  void run(const float* src, const float* diff_dst, float* diff_oi, std::byte* scratch) const {
    run(src, nullptr, diff_dst, diff_oi, scratch);
  }
  void run(const normalised& src, const float* diff_dst, float* diff_oi, std::byte* scratch) const {
    run(src.src.data, &src, diff_dst, diff_oi, scratch);
  }

 private:
  void run(const float* src, const normalised* becomes, const float* diff_dst, float* diff_oi,
           std::byte* scratch) const {
    auto* own = reinterpret_cast<float*>(scratch);
    float* sums = direct() ? diff_oi : own + workers_ * worker_floats();
    const std::size_t row = direct() ? in_ : panels_.all_columns();
    parallel_items(pixel_parts_ * out_parts_ * in_parts_, [&](std::size_t worker,
                                                              std::size_t item) {
      const std::size_t part = item / in_parts_ / out_parts_;
      const auto bounds = [](std::size_t count, std::size_t parts, std::size_t i) {
        return range{count * i / parts, count * (i + 1) / parts};
      };
      const range outs = bounds(out_, out_parts_, item / in_parts_ % out_parts_);
      const range blocks = bounds(panels_.count(), in_parts_, item % in_parts_);
      for (std::size_t o = outs.first; o < outs.last; o += chunk_outs_)
        for (std::size_t b = blocks.first; b < blocks.last; b += chunk_panels_)
          add_block(src, becomes, diff_dst, bounds(pixels_, pixel_parts_, part),
                    {o, std::min(o + chunk_outs_, outs.last)},
                    {b, std::min(b + chunk_panels_, blocks.last)}, own + worker * worker_floats(),
                    sums + (direct() ? 0 : part * sum_floats()), row);
    });
    if (direct()) return;
    parallel_ranges(out_, pixel_parts_ * in_, [&](std::size_t first, std::size_t last) {
      for (std::size_t o = first; o < last; ++o)
        for (std::size_t i = 0; i < in_; ++i) {
          float sum = sums[o * row + i];
          for (std::size_t part = 1; part < pixel_parts_; ++part)
            sum += sums[part * sum_floats() + o * row + i];
          diff_oi[o * in_ + i] = sum;
        }
    });
  }

  static constexpr std::size_t widest = 512;  // channels copied at a time

  struct range {
    std::size_t first, last;
    std::size_t count() const { return last - first; }
  };

  /// Sets of usual caches; about half of the ways may be counted on.
  static constexpr std::size_t first_cache = 64, second_cache = 1024, ways = 8;
  /// Whether a column of a panel, two lines a pixel, falls on too few sets to be held, because
  /// pixels are `channels` apart.
  bool fall_together(std::size_t channels, std::size_t sets) const {
    const std::size_t lines = (channels + channel_block - 1) / channel_block;
    return 2 * depth_ > ways * sets / std::gcd(lines, sets);
  }

  std::size_t sum_floats() const { return out_ * panels_.all_columns(); }
  /// Whether the product may be made in its place: panels without a column too many.
  bool direct() const { return pixel_parts_ == 1 && panels_.all_columns() == in_; }
  /// Copied rows of diff_dst.
  std::size_t diff_row() const { return odd_lines(std::min(widest, chunk_outs_)); }
  std::size_t panels_at_a_time() const { return widest / panels_.width(); }
  /// Of the copied panels of a block of pixels.
  std::size_t src_floats() const {
    return depth_ * std::min(panels_at_a_time(), chunk_panels_) * panels_.width();
  }
  std::size_t worker_floats() const {
    return depth_ * diff_row() + src_floats() + (rounds() && normalised_src_ ? src_floats() : 0);
  }
  bool rounds() const { return of_ == products::bf16; }

  /// Parts of pixels, output and source channels, so that the last thread is done as early as can
  /// be. Costs are in multiply-adds of a register: copies of both sources, and sums of parts.
  void share_out() {
    if (pixels_ * in_ * out_ < 64 * 8192) return;
    double best = std::numeric_limits<double>::max();
    const auto up = [](std::size_t a, std::size_t b) { return (a + b - 1) / b; };
    for (std::size_t parts = 1; parts <= std::min(2 * workers_, up(pixels_, 64)); ++parts)
      for (std::size_t outs = 1; outs <= std::min(2 * workers_, up(out_, 14)); ++outs)
        for (std::size_t ins = 1; ins <= std::min(2 * workers_, panels_.count()); ++ins) {
          const auto turns = static_cast<double>(up(parts * outs * ins, workers_));
          const auto depth = static_cast<double>(up(pixels_, parts));
          const auto rows = static_cast<double>(up(out_, outs));
          const auto columns = static_cast<double>(up(panels_.count(), ins) * panels_.width());
          constexpr double copy = 6;
          const double copy_src = normalised_src_ ? 20 : copy;
          const double sums = parts == 1 ? 0 : 16 * rows * columns;
          const double product = (rounds() ? 0.5 : 1) * rows * columns;
          const double cost =
              turns * (depth * (product + copy * rows + copy_src * columns) + sums + 1e4);
          if (cost >= best) continue;
          best = cost;
          pixel_parts_ = parts, out_parts_ = outs, in_parts_ = ins;
        }
  }

  /// Chunks of a block, as equal as they can be, whose sums stay in the second cache while all
  /// pixels pass by.
  void cut_chunks() {
    constexpr std::size_t cached = 96 * 1024;  // floats
    const auto equal = [](std::size_t count, std::size_t most) {
      const std::size_t parts = (count + most - 1) / most;
      return (count + parts - 1) / parts;
    };
    const std::size_t outs = (out_ + out_parts_ - 1) / out_parts_;
    const std::size_t blocks = (panels_.count() + in_parts_ - 1) / in_parts_;
    const std::size_t columns = blocks * panels_.width();
    chunk_outs_ = outs, chunk_panels_ = blocks;
    if (outs * columns <= cached) return;
    const bool copies = normalised_src_ || panels_.all_columns() != in_;
    if (copies || outs <= columns)  // sources are copied once
      chunk_panels_ = equal(blocks, std::max<std::size_t>(1, cached / outs / panels_.width()));
    else
      chunk_outs_ = equal(outs, std::max<std::size_t>(most_rows(best_), cached / columns));
  }

  /// The pixels after those being multiplied, whose rows of some channels are fetched a column of
  /// cache lines at a time.
  class next_pixels {
   public:
    struct rows {
      const float* first;
      std::size_t channels, step;
    };
    next_pixels(const rows& src, const rows& diff_dst) : left_{src, diff_dst} {}
    /// Where twice `half` pixels pass as pairs.
    next_pixels(const rows& src, const rows& diff_dst, std::size_t half)
        : left_{src, diff_dst, behind(src, half), behind(diff_dst, half)} {}

    fetched_lines column() {
      for (rows& some : left_) {
        if (some.channels == 0) continue;
        const fetched_lines lines{.first = some.first, .depth_step = some.step, .tiles = 1};
        const std::size_t taken = std::min(some.channels, channel_block);
        some.first += taken, some.channels -= taken;
        return lines;
      }
      return {};
    }

   private:
    static rows behind(rows some, std::size_t pixels) {
      some.first += pixels * some.step;
      return some;
    }

    rows left_[4] = {};
  };

  /// The sums over `pixels` for some output channels and panels of source channels, into rows of
  /// `sums`, `row` floats apart.
  void add_block(const float* src, const normalised* becomes, const float* diff_dst, range pixels,
                 range outs, range blocks, float* scratch, float* sums, std::size_t row) const {
    float *diff_copy = scratch, *src_copy = scratch + depth_ * diff_row();
    const std::size_t channel = panels_.first(blocks.first);
    const std::size_t channels = std::min(in_, blocks.last * panels_.width()) - channel;
    for (std::size_t first = pixels.first; first < pixels.last; first += depth_) {
      const std::size_t depth = std::min(depth_, pixels.last - first), next = first + depth;
      const bool follows = next < pixels.last;
      const next_pixels::rows next_src{src + next * in_ + channel, follows ? channels : 0, in_};
      const next_pixels::rows next_diff{diff_dst + next * out_ + outs.first,
                                        follows ? outs.count() : 0, out_};
      next_pixels ahead = rounds() ? next_pixels(next_src, next_diff, depth_ / 2)
                                   : next_pixels(next_src, next_diff);
      for (std::size_t panel = blocks.first; panel < blocks.last; panel += panels_at_a_time()) {
        const range some{panel, std::min(panel + panels_at_a_time(), blocks.last)};
        if (copies_src_) copy_src(src, becomes, {first, next}, some, src_copy);
        for (std::size_t o = outs.first; o < outs.last; o += widest) {
          const range rows{o, std::min(o + widest, outs.last)};
          const float* diff = diff_dst + first * out_ + o;
          if (copies_diff_ && (panel == blocks.first || outs.count() > widest))
            copy_diff(diff, depth, rows.count(), diff_copy);
          multiply_block(copies_diff_ ? diff_copy : diff, rows,
                         copies_src_ ? src_copy : src + first * in_ + panels_.first(panel), some,
                         depth_of(depth, of_), first > pixels.first, ahead, sums, row);
        }
      }
    }
  }

  void copy_diff(const float* diff, std::size_t pixels, std::size_t channels, float* to) const {
    if (rounds())
      return pair_rows({.src = diff,
                        .step = out_,
                        .rows = pixels,
                        .channels = channels,
                        .padded = rounded_up(channels, lanes_of_isa(best_)),
                        .to = to,
                        .to_step = diff_row()},
                       best_);
    for (std::size_t p = 0; p < pixels; ++p)
      std::copy_n(diff + p * out_, channels, to + p * diff_row());
  }

  void copy_src(const float* src, const normalised* becomes, range pixels, range some,
                float* to) const {
    if (!rounds()) return copy_floats(src, becomes, pixels, some, to);
    const float* floats = to + src_floats();
    if (becomes != nullptr) copy_floats(src, becomes, pixels, some, to + src_floats());
    for (std::size_t panel = some.first; panel < some.last; ++panel) {
      const std::size_t columns = panels_.columns(panel);
      const bool made = becomes != nullptr;
      pair_rows({.src = made ? floats : src + pixels.first * in_ + panels_.first(panel),
                 .step = made ? columns : in_,
                 .rows = pixels.count(),
                 .channels = panels_.channels(panel),
                 .padded = columns,
                 .to = to,
                 .to_step = columns},
                best_);
      floats += pixels.count() * columns;
      to += depth_of(pixels.count(), of_) * columns;
    }
  }
  void copy_floats(const float* src, const normalised* becomes, range pixels, range some,
                   float* to) const {
    const std::size_t last = some.last - 1;
    if (becomes == nullptr)
      return copy_panels({.src = src + pixels.first * in_ + panels_.first(some.first),
                          .step = in_,
                          .rows = pixels.count(),
                          .whole = last - some.first,
                          .last = panels_.columns(last),
                          .real = panels_.channels(last),
                          .to = to},
                         best_);
    // The last panel may be narrower.
    const bool full = panels_.channels(last) == panels_.width();
    const std::size_t whole = full ? some.count() : some.count() - 1;
    const auto make = [&](std::size_t panel, std::size_t channels, std::size_t columns) {
      make_normalised_rows(*becomes,
                           {.first = pixels.first,
                            .count = pixels.count(),
                            .channel = panels_.first(panel),
                            .channels = channels,
                            .to = to,
                            .to_step = columns,
                            .padded = rounded_up(channels, lanes_of_isa(best_)),
                            .panel = columns,
                            .panel_step = pixels.count() * columns},
                           best_);
      to += pixels.count() * rounded_up(channels, columns);
    };
    if (whole > 0) make(some.first, whole * panels_.width(), panels_.width());
    if (!full) make(last, panels_.channels(last), panels_.columns(last));
  }

  void multiply_block(const float* diff, range rows, const float* src, range some,
                      std::size_t depth, bool add, next_pixels& ahead, float* sums,
                      std::size_t row) const {
    // Few rows at a time, so that they stay in the first cache while panels pass by.
    const std::size_t tiles = (rows.count() + most_rows(best_) - 1) / most_rows(best_);
    const std::size_t tile = (rows.count() + tiles - 1) / tiles;
    for (std::size_t r = 0; r < rows.count(); r += tile) {
      const float* weights = src;
      for (std::size_t panel = some.first; panel < some.last; ++panel) {
        const std::size_t columns = panels_.columns(panel);
        multiply({.src = diff + r,
                  .row_step = 1,
                  .depth_step = copies_diff_ ? diff_row() : out_,
                  .rows = std::min(tile, rows.count() - r),
                  .weights = weights,
                  .weight_step = copies_src_ ? columns : in_,
                  .depth = depth,
                  .sums = sums + (rows.first + r) * row + panels_.first(panel),
                  .sum_step = row,
                  .add = add,
                  .ahead = ahead.column()},
                 panels_.registers(panel), best_, of_);
        weights += copies_src_ ? depth * columns : columns;
      }
    }
  }

  products of_;
  isa best_;
  bool normalised_src_;
  std::size_t workers_;
  std::size_t pixels_, in_, out_;
  panels panels_;
  std::size_t pixel_parts_ = 1, out_parts_ = 1, in_parts_ = 1;
  std::size_t chunk_outs_ = 0, chunk_panels_ = 0;  // that a block is made in
  std::size_t depth_ = 0;                          // pixels at a time
  bool copies_src_ = true, copies_diff_ = true;
};

}  // namespace effnet::cpu
