#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string_view>

#include <effnet/cpu/bf16_product.hpp>
#include <effnet/cpu/elementwise.hpp>
#include <effnet/cpu/normalised_rows.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/pointwise_weights.hpp>
#include <effnet/cpu/result_store.hpp>

namespace effnet::cpu {

/// What `pointwise_convolution` computes: dense 1x1 convolutions of stride 1 without padding, and
/// fully connected layers.
constexpr bool is_pointwise(const conv_problem& p) {
  return p.kernel == 1 && p.stride == 1 && p.groups == 1 && p.pad == padding{};
}

/// What a 1x1 convolution reads: pixels as they are, times squeeze-excite's gate, or still to be
/// normalised.
enum class source_form { plain, gated, normalised };

/// A dense 1x1 convolution, the product of pixels and output channels. A part of the pixels stays
/// in the second cache while panels of output channels pass by; parts of both are shared out among
/// threads. A gate of squeeze-excite is multiplied into a copy of whichever is smaller, an image's
/// pixels or the weights; pixels that are still to be normalised are copied as they become. In bf16
/// all are rounded into a copy.
class pointwise_convolution {
 public:
  pointwise_convolution(const conv_problem& problem, const epilogue& then,
                        source_form source = source_form::plain, products of = products::fp32,
                        isa best = best_isa())
      : then_(then),
        of_(of),
        best_(best),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        source_(source),
        images_(static_cast<std::size_t>(problem.src.n)),
        pixels_(static_cast<std::size_t>(problem.src.h) * static_cast<std::size_t>(problem.src.w)),
        in_(static_cast<std::size_t>(problem.src.c)),
        out_(static_cast<std::size_t>(problem.out)),
        weights_(problem, of, best) {
    if (source != source_form::gated) {  // where one image ends does not matter then
      pixels_ *= images_;
      images_ = 1;
    }
    share_out();
    copies_ = rounds() || in_ % aliasing == 0 || source == source_form::normalised ||
              (source == source_form::gated && pixels_ <= panels().all_columns());
  }

  std::size_t scratch_bytes() const {
    return workers_ * worker_floats() * sizeof(float) + (scales_weights() ? weights_.bytes() : 0);
  }
  weight_layout layout() const { return weights_.layout(); }
  std::string_view implementation() const {
    if (rounds()) return "pointwise_bf16";
    return for_isa<std::string_view>(best_, "pointwise_portable", "pointwise_avx2",
                                     "pointwise_avx512");
  }
  std::string_view reason() const {
    if (rounds()) return "1x1 in bf16, as was asked for";
    return "1x1 with SiLU, sigmoid or a gate: faster than oneDNN's there";
  }

  const pointwise_weights& weights() const { return weights_; }
  packed_weights pack(const float* oihw, const float* bias) const {
    return weights_.pack(oihw, bias);
  }
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    weights_.repack(oihw, bias, packed);
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    forward(packed, src, nullptr, dst, scratch);
  }
  void forward(const pointwise_operand& weights, const float* src, float* dst,
               std::byte* scratch) const {
    forward(weights, src, nullptr, dst, scratch);
  }
  /// Of src * gate[n, in], for one that was planned as gated; a null gate is one of ones.
  void forward(const packed_weights& packed, const float* src, const float* gate, float* dst,
               std::byte* scratch) const {
    forward(operand(packed), src, gate, dst, scratch);
  }
  /// Of a source that is still to be normalised, for one that was planned so.
  void forward(const packed_weights& packed, const normalised& src, float* dst,
               std::byte* scratch) const {
    run(operand(packed), src.src.data, nullptr, dst, scratch,
        [&](std::size_t first, std::size_t count, const float*, float* to) {
          normalise_pixels(src, first, count, to);
        });
  }
  bool reads_normalised() const { return source_ == source_form::normalised; }

 private:
  static pointwise_operand operand(const packed_weights& packed) {
    return {.weights = reinterpret_cast<const float*>(packed.weights.data()),
            .bias = reinterpret_cast<const float*>(packed.bias.data())};
  }
  void forward(const pointwise_operand& weights, const float* src, const float* gate, float* dst,
               std::byte* scratch) const {
    run(weights, src, gate, dst, scratch,
        [&](std::size_t first, std::size_t count, const float* of_image, float* to) {
          copy_pixels(src + first * in_, count, of_image, to);
        });
  }
  /// `copy(first, count, gate, to)` copies pixels, where they are copied.
  template <class Copy>
  void run(const pointwise_operand& weights, const float* src, const float* gate, float* dst,
           std::byte* scratch, const Copy& copy) const {
    if (gate == nullptr || !scales_weights()) {
      run_images(weights, 0, images_, src, gate, dst, scratch, copy);
      return;
    }
    auto* scaled = reinterpret_cast<float*>(scratch) + workers_ * worker_floats();
    for (std::size_t image = 0; image < images_; ++image, gate += in_) {
      parallel_ranges(panels().count(), panels().width() * in_,
                      [&](std::size_t begin, std::size_t end) {
                        for (std::size_t panel = begin; panel < end; ++panel) {
                          const std::size_t first = panels().first(panel) * in_;
                          scale_rows(weights.weights + first, gate, scaled + first, in_,
                                     panels().columns(panel), best_);
                        }
                      });
      run_images({.weights = scaled, .bias = weights.bias}, image, image + 1, src, nullptr, dst,
                 scratch, copy);
    }
  }
  /// Of images [begin, end).
  template <class Copy>
  void run_images(const pointwise_operand& weights, std::size_t begin, std::size_t end,
                  const float* src, const float* gate, float* dst, std::byte* scratch,
                  const Copy& copy) const {
    const std::size_t parts = (end - begin) * pixel_parts_;
    const auto first_of = [&](std::size_t part) {
      return (begin + part / pixel_parts_) * pixels_ +
             pixels_ * (part % pixel_parts_) / pixel_parts_;
    };
    parallel_items(parts * panel_parts_, [&](std::size_t worker, std::size_t item) {
      const std::size_t slice = item % panel_parts_, part = item / panel_parts_;
      const std::size_t first = first_of(part), last = first_of(part + 1);
      const std::size_t then = std::min(parts - 1, part + 1);
      float* sums = reinterpret_cast<float*>(scratch) + worker * worker_floats();
      const float* rows = src + first * in_;
      if (copies_) {
        copy(first, last - first, gate != nullptr ? gate + part / pixel_parts_ * in_ : nullptr,
             sums + sum_floats());
        rows = sums + sum_floats();
      }
      multiply_part({.weights = weights,
                     .rows = rows,
                     .first = first,
                     .count = last - first,
                     .next = src + first_of(then) * in_,
                     .next_floats = (first_of(then + 1) - first_of(then)) * in_},
                    panels().count() * slice / panel_parts_,
                    panels().count() * (slice + 1) / panel_parts_, sums, dst);
    });
  }

  static constexpr std::size_t aliasing = 512;     // strides of 2 KiB fall on few cache sets
  static constexpr std::size_t most_pixels = 168;  // whose sums of a panel stay in the first cache
  static constexpr std::size_t cached = 112 * 1024;  // floats of a part's pixels: half a megabyte
  static constexpr std::size_t depth_at_a_time = 512;
  static constexpr std::size_t cached_weights = 256 * 1024;  // bytes

  /// Pixels that are multiplied while some panels pass by.
  struct pixel_part {
    const pointwise_operand& weights;
    const float* rows;  ///< of pixels, as they are multiplied
    std::size_t first, count;
    const float* next;  ///< the pixels that come next, as they lie
    std::size_t next_floats;
  };

  const class panels& panels() const { return weights_.panels(); }
  std::size_t depth() const { return weights_.depth(); }
  bool rounds() const { return of_ == products::bf16; }
  std::size_t row() const {
    return copies_ ? rounded_up(depth(), channel_block) + channel_block : in_;
  }
  std::size_t part_pixels() const { return (pixels_ + pixel_parts_ - 1) / pixel_parts_; }
  std::size_t sum_floats() const {
    return std::max(part_pixels() * panels().width(),
                    rounds() ? rounded_up(in_, channel_block) : 0);
  }
  std::size_t worker_floats() const { return sum_floats() + (copies_ ? part_pixels() * row() : 0); }
  /// Whether the gate becomes part of the weights.
  bool scales_weights() const { return source_ == source_form::gated && !copies_; }

  /// Parts of an image's pixels and of panels, so that the last thread is done as early as can be.
  /// Costs are in multiply-adds of a column: weights come from the third cache once a part, a low
  /// tile waits for its sums.
  void share_out() {
    const std::size_t fit = std::clamp<std::size_t>(cached / depth(), 14, most_pixels);
    const std::size_t least = (pixels_ + fit - 1) / fit;
    pixel_parts_ = least;
    // One thread runs small products faster than others wake, and fetches small weights.
    constexpr std::size_t fetching = 5;  // multiply-adds a weight
    if ((images_ * pixels_ + fetching) * in_ * panels().all_columns() < 16 * 8192) return;
    double best = std::numeric_limits<double>::max();
    const auto consider = [&](std::size_t parts, std::size_t slices) {
      const std::size_t units = images_ * parts * slices;
      const std::size_t turns = (units + workers_ - 1) / workers_;
      const auto pixels = static_cast<double>((pixels_ + parts - 1) / parts);
      const auto columns = static_cast<double>((panels().count() + slices - 1) / slices);
      const double making = (source_ == source_form::normalised ? 0.6 : 0) + (rounds() ? 0.2 : 0);
      const double cost = static_cast<double>(turns) *
                          ((std::max(pixels, 4.0) + 8) * columns * static_cast<double>(depth()) +
                           making * pixels * static_cast<double>(in_) + 100);
      if (cost >= best) return;
      best = cost;
      pixel_parts_ = parts, panel_parts_ = slices;
    };
    for (std::size_t parts = least; parts <= std::min(pixels_, least + 2 * workers_); ++parts)
      for (std::size_t slices = 1; slices <= std::min(panels().count(), 2 * workers_); ++slices)
        consider(parts, slices);
  }

  void copy_pixels(const float* src, std::size_t count, const float* gate, float* to) const {
    if (rounds())
      return round_rows({.src = src,
                         .step = in_,
                         .rows = count,
                         .channels = in_,
                         .scale = gate,
                         .to = to,
                         .to_step = row()},
                        best_);
    for (std::size_t p = 0; p < count; ++p, src += in_, to += row()) {
      if (gate != nullptr)
        scale(src, gate, to, in_, best_);
      else
        std::copy_n(src, in_, to);
    }
  }

  void normalise_pixels(const normalised& src, std::size_t first, std::size_t count,
                        float* to) const {
    const auto make = [&](std::size_t from, std::size_t pixels, float* rows, std::size_t step) {
      make_normalised_rows(src,
                           {.first = from,
                            .count = pixels,
                            .channel = 0,
                            .channels = in_,
                            .to = rows,
                            .to_step = step,
                            .padded = rounded_up(in_, lanes_of_isa(best_))},
                           best_);
    };
    if (!rounds()) return make(first, count, to, row());
    // A few pixels at a time become floats in the place of the sums, which come later.
    const std::size_t step = rounded_up(in_, channel_block), most = sum_floats() / step;
    float* floats = to - sum_floats();
    for (std::size_t p = 0; p < count; p += most) {
      const std::size_t some = std::min(most, count - p);
      make(first + p, some, floats, step);
      round_rows({.src = floats,
                  .step = step,
                  .rows = some,
                  .channels = in_,
                  .scale = nullptr,
                  .to = to + p * row(),
                  .to_step = row()},
                 best_);
    }
  }

  /// Panels [begin, end) of a part.
  void multiply_part(const pixel_part& p, std::size_t begin, std::size_t end, float* sums,
                     float* dst) const {
    const float* bias = p.weights.bias;
    for (std::size_t panel = begin; panel < end; ++panel) {
      const std::size_t channel = panels().first(panel), columns = panels().columns(panel);
      const std::size_t step = p.weights.plain ? out_ : columns;
      const float* weights = weights_of(p, panel);
      // Sums that nothing follows are made in their place.
      const bool bare =
          then_ == epilogue{} && bias == nullptr && panels().channels(panel) == columns;
      float* to = bare ? dst + p.first * out_ + channel : sums;
      for (std::size_t k = 0; k < depth(); k += depth_at_a_time)
        multiply({.src = p.rows + k,
                  .row_step = row(),
                  .rows = p.count,
                  .weights = weights + k * step,
                  .weight_step = step,
                  .depth = std::min(depth_at_a_time, depth() - k),
                  .sums = to,
                  .sum_step = bare ? out_ : columns,
                  .add = k > 0,
                  .ahead = ahead(p, panel, end, k, step)},
                 panels().registers(panel), best_, of_);
      if (!bare)
        store_results({.sums = sums,
                       .sum_step = columns,
                       .rows = p.count,
                       .channels = panels().channels(panel),
                       .bias = bias != nullptr ? bias + channel : nullptr,
                       .then = then_,
                       .dst = dst + p.first * out_ + channel,
                       .dst_step = out_},
                      best_);
    }
  }
  /// While a panel is multiplied: a share of the next pixels where all weights are in the cache,
  /// else the next panel, and all of the next pixels with the last.
  fetched_lines ahead(const pixel_part& p, std::size_t panel, std::size_t end, std::size_t k,
                      std::size_t step) const {
    const bool stays = weights_.bytes() <= cached_weights;
    if (panel_parts_ == 1 && (stays || panel + 1 == end)) {
      const std::size_t all = depth(), some = std::min(depth_at_a_time, all - k);
      const std::size_t shares = stays ? panels().count() : 1, share = stays ? panel : 0;
      const std::size_t lines = p.next_floats / channel_block / shares * some / all;
      return {.first = p.next + p.next_floats * (share * all + k) / (shares * all),
              .depth_step = channel_block,
              .tile_step = some * channel_block,
              .tiles = (lines + some - 1) / some};
    }
    if (panel + 1 == end) return {};
    return panels().lines(panel + 1, weights_of(p, panel + 1) + k * step, step);
  }
  const float* weights_of(const pixel_part& p, std::size_t panel) const {
    const std::size_t channel = panels().first(panel);
    return p.weights.weights + channel * (p.weights.plain ? 1 : depth());
  }

  epilogue then_;
  products of_;
  isa best_;
  std::size_t workers_;
  source_form source_;
  std::size_t images_, pixels_;  // pixels of an image
  std::size_t in_, out_;
  pointwise_weights weights_;
  bool copies_ = false;  // pixels, with the gate if there is one
  std::size_t pixel_parts_ = 1, panel_parts_ = 1;
};

}  // namespace effnet::cpu
