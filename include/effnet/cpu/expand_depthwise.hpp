#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <effnet/cpu/bf16_product.hpp>
#include <effnet/cpu/depthwise_ring.hpp>
#include <effnet/cpu/depthwise_weights.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/pointwise_weights.hpp>
#include <effnet/cpu/result_store.hpp>

namespace effnet::cpu {

/// The first half of an MBConv block: 1x1 expand, depthwise convolution, both with bias and
/// activation, and the means of the result over each image, as squeeze-excite wants them. The
/// expanded tensor never exists: a panel of channels at a time, its rows pass through a ring in the
/// cache, between zeros. At expand ratio 1 the source's rows are copied there.
class expand_depthwise {
 public:
  /// `expand` is the problem of the 1x1 in front, or null.
  expand_depthwise(const conv_problem* expand, const conv_problem& depthwise, activation act,
                   products of = products::fp32, isa best = best_isa())
      : problem_(depthwise),
        act_(act),
        of_(of),
        best_(best),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        channels_(static_cast<std::size_t>(depthwise.out)),
        in_(static_cast<std::size_t>(expand != nullptr ? expand->src.c : depthwise.src.c)),
        panels_(channels_, best),
        ring_(depthwise, static_cast<std::size_t>(96 / (depthwise.src.w * depthwise.stride)), best),
        depthwise_(depthwise, best) {
    if (expand != nullptr) expand_.emplace(*expand, of, best);
    cut_pieces();
  }

  /// What packs the weights of the two convolutions; the first where there is an expand.
  const pointwise_weights& expand() const { return *expand_; }
  const depthwise_weights& depthwise() const { return depthwise_; }
  std::size_t scratch_bytes() const {
    return (workers_ * worker_floats() + sum_floats() + (rounds() ? pixels() * row() : 0)) *
           sizeof(float);
  }
  std::string_view implementation() const {
    if (rounds()) return "mbconv_bf16";
    return for_isa<std::string_view>(best_, "mbconv_portable", "mbconv_avx2", "mbconv_avx512");
  }

  static std::string_view reason() { return "the expanded rows stay in the cache"; }

  /// `expand` may be null where there is none; `means` ([n, 1, 1, c]) where nobody asks for them.
  void forward(const packed_weights* expand, const packed_weights& depthwise, const float* src,
               float* dst, float* means, std::byte* scratch) const {
    float* sums = reinterpret_cast<float*>(scratch) + workers_ * worker_floats();
    if (rounds()) src = round_source(src, sums + sum_floats());
    parallel_runs(runs_, [&](std::size_t worker, std::size_t item) {
      make_piece(expand, depthwise, pieces_[item], src, dst, sums + item * panels_.width(),
                 reinterpret_cast<float*>(scratch) + worker * worker_floats());
    });
    if (means != nullptr) average(sums, means);
  }

 private:
  /// Rows [first, last) of an image's results, for the channels of a panel.
  struct piece {
    std::size_t image, panel, first, last;
  };

  std::size_t kernel() const { return static_cast<std::size_t>(problem_.kernel); }
  std::size_t stride() const { return static_cast<std::size_t>(problem_.stride); }
  std::size_t images() const { return static_cast<std::size_t>(problem_.src.n); }
  std::size_t height() const { return static_cast<std::size_t>(problem_.src.h); }
  std::size_t width() const { return static_cast<std::size_t>(problem_.src.w); }
  std::size_t results() const { return static_cast<std::size_t>(problem_.dst().h); }
  std::size_t rows_at_a_time() const { return std::max<std::size_t>(1, 112 / width()); }
  std::size_t product_floats() const {
    return rounded_up(rows_at_a_time() * width() * panels_.width(), channel_block);
  }
  std::size_t worker_floats() const { return ring_.floats() + product_floats(); }
  std::size_t sum_floats() const { return pieces_.size() * panels_.width(); }

  /// Whether the expand multiplies pairs of bf16, of rows that are rounded once for all panels.
  bool rounds() const { return expand_ && of_ == products::bf16; }
  std::size_t pixels() const { return images() * height() * width(); }
  std::size_t row() const { return rounds() ? rounded_up(in_, channel_block) / 2 : in_; }
  const float* round_source(const float* src, float* to) const {
    parallel_ranges(pixels(), in_, [&](std::size_t first, std::size_t last) {
      round_rows({.src = src + first * in_,
                  .step = in_,
                  .rows = last - first,
                  .channels = in_,
                  .scale = nullptr,
                  .to = to + first * row(),
                  .to_step = row()},
                 best_);
    });
    return to;
  }

  /// Whole panels, except that one is cut where a thread's run of them ends: runs are alike, and
  /// the rows above and below a cut are made twice.
  void cut_pieces() {
    const std::size_t runs = std::min(workers_, most_runs);
    const std::size_t image = panels_.all_columns() * results(), all = images() * image;
    std::size_t run = 1;
    runs_.assign(1, 0);
    for (std::size_t n = 0; n < images(); ++n)
      for (std::size_t panel = 0; panel < panels_.count(); ++panel) {
        const std::size_t columns = panels_.columns(panel);
        const std::size_t before = n * image + panels_.first(panel) * results();
        std::size_t first = 0;
        for (; run < runs && all * run / runs < before + columns * results(); ++run) {
          const std::size_t cut = whole_cut((all * run / runs - before) / columns);
          if (cut > first) pieces_.push_back({n, panel, first, cut});
          first = std::max(first, cut);
          runs_.push_back(pieces_.size());
        }
        if (first < results()) pieces_.push_back({n, panel, first, results()});
      }
    runs_.resize(runs, pieces_.size());
    runs_.push_back(pieces_.size());
  }
  /// A cut before row `row`, or none where too few rows are on one side of it.
  std::size_t whole_cut(std::size_t row) const {
    if (row < kernel()) return 0;
    return results() - row < kernel() ? results() : row;
  }

  void make_piece(const packed_weights* expand, const packed_weights& depthwise, const piece& at,
                  const float* src, float* dst, float* sums, float* own) const {
    const std::size_t channel = panels_.first(at.panel), real = panels_.channels(at.panel);
    const auto width = static_cast<std::size_t>(problem_.dst().w);
    std::fill_n(sums, panels_.width(), 0.0f);
    ring_.pass(
        own, 1, at.first, at.last,
        [&](std::size_t from, std::size_t to) {
          if (expand != nullptr)
            expand_rows(*expand, at, src, from, to, own);
          else
            ring_.copy_rows(src, {at.image, channel, real}, from, to, own);
        },
        [&](std::size_t y, std::size_t, const float* const* rows) {
          make_depthwise_row(
              {.rows = rows,
               .kernel = kernel(),
               .stride = stride(),
               .width = width,
               .weights = reinterpret_cast<const float*>(depthwise.weights.data()) +
                          channel * kernel() * kernel(),
               .columns = panels_.columns(at.panel),
               .bias = reinterpret_cast<const float*>(depthwise.bias.data()) + channel,
               .act = act_,
               .channels = real,
               .dst = dst + (at.image * results() + y) * width * channels_ + channel,
               .dst_step = channels_,
               .sums = sums},
              best_);
        });
  }

  /// Rows [from, to) of the expanded tensor into the ring.
  void expand_rows(const packed_weights& expand, const piece& at, const float* src,
                   std::size_t from, std::size_t to, float* own) const {
    const std::size_t columns = panels_.columns(at.panel), channel = panels_.first(at.panel);
    float* sums = own + ring_.floats();
    for (std::size_t y = from; y < to; y += rows_at_a_time()) {
      const std::size_t count = std::min(rows_at_a_time(), to - y);
      multiply({.src = src + (at.image * height() + y) * width() * row(),
                .row_step = row(),
                .rows = count * width(),
                .weights = reinterpret_cast<const float*>(expand.weights.data()) +
                           expand_->before(at.panel),
                .weight_step = columns,
                .depth = expand_->depth(),
                .sums = sums,
                .sum_step = columns,
                .add = false,
                .ahead = y == 0 ? ahead(expand, at.panel) : fetched_lines{}},
               panels_.registers(at.panel), best_, of_);
      for (std::size_t i = 0; i < count; ++i)
        store_results({.sums = sums + i * width() * columns,
                       .sum_step = columns,
                       .rows = width(),
                       .channels = panels_.channels(at.panel),
                       .bias = reinterpret_cast<const float*>(expand.bias.data()) + channel,
                       .then = {.before = act_},
                       .dst = ring_.row(own, y + i),
                       .dst_step = ring_.pixel()},
                      best_);
    }
  }

  /// The weights of the next panel.
  fetched_lines ahead(const packed_weights& expand, std::size_t panel) const {
    if (panel + 1 == panels_.count()) return {};
    const auto* weights = reinterpret_cast<const float*>(expand.weights.data());
    return panels_.lines(panel + 1, weights + expand_->before(panel + 1));
  }

  /// The means of images, from the sums of their pieces in their order.
  void average(const float* sums, float* means) const {
    const float scale = 1.0f / static_cast<float>(problem_.dst().h * problem_.dst().w);
    std::fill_n(means, images() * channels_, 0.0f);
    for (const piece& at : pieces_) {
      float* to = means + at.image * channels_ + panels_.first(at.panel);
      for (std::size_t c = 0; c < panels_.channels(at.panel); ++c) to[c] += sums[c] * scale;
      sums += panels_.width();
    }
  }

  conv_problem problem_;
  activation act_;
  products of_;
  isa best_;
  std::size_t workers_, channels_, in_;
  panels panels_;
  depthwise_ring ring_;
  depthwise_weights depthwise_;
  std::optional<pointwise_weights> expand_;
  std::vector<piece> pieces_;
  std::vector<std::size_t> runs_;  // the first piece of each, and the end
};

}  // namespace effnet::cpu
