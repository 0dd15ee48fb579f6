#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cpu/bf16.hpp>
#include <effnet/cpu/packed_weights.hpp>
#include <effnet/cpu/panels.hpp>
#include <effnet/cpu/parallel.hpp>

namespace effnet::cpu {

/// Weights as the product of a 1x1 convolution reads them.
struct pointwise_operand {
  const float* weights;         ///< as `pointwise_weights` packs them, or [in][out] where `plain`
  const float* bias = nullptr;  ///< [out], or none
  bool plain = false;
};

/// Packs the weights of a dense 1x1 convolution for `panel_product`: [panel][depth][columns of the
/// panel], where depth counts source channels or pairs of them.
class pointwise_weights {
 public:
  pointwise_weights(const conv_problem& problem, products of, isa best)
      : of_(of),
        best_(best),
        in_(static_cast<std::size_t>(problem.src.c)),
        depth_(depth_of(in_, of)),
        out_(static_cast<std::size_t>(problem.out)),
        panels_(out_, best) {}

  const class panels& panels() const { return panels_; }
  std::size_t depth() const { return depth_; }
  std::size_t bytes() const { return panels_.all_columns() * depth_ * sizeof(float); }
  /// Packed weights in front of a panel.
  std::size_t before(std::size_t panel) const { return panels_.first(panel) * depth_; }

  weight_layout layout() const {
    return {.kind = kernel_kind::pointwise,
            .direct = {},
            .block = static_cast<int>(panels_.width()),
            .bf16 = of_ == products::bf16};
  }
  packed_weights pack(const float* oihw, const float* bias) const {
    packed_weights packed{aligned_buffer(bytes()),
                          aligned_buffer(bias != nullptr ? out_ * sizeof(float) : 0)};
    repack(oihw, bias, packed);
    return packed;
  }
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    if (bias != nullptr) fill_bias(bias, out_, packed);
    auto* to = reinterpret_cast<float*>(packed.weights.data());
    for_each_panel([&](std::size_t panel) {
      const float* rows = oihw + panels_.first(panel) * in_;
      if (of_ == products::bf16)
        pack_pairs(panel, rows, to + before(panel));
      else
        panels_.pack_rows(panel, in_, rows, in_, to + before(panel));
    });
  }
  /// From the forward pass's weights for the gradient by the source, whose source channels are
  /// that pass's output channels: into `to`, bytes() of it.
  void pack_turned(const float* oihw, float* to) const {
    for_each_panel([&](std::size_t panel) {
      const std::size_t channel = panels_.first(panel), columns = panels_.columns(panel);
      const std::size_t real = panels_.channels(panel);
      float* rows = to + before(panel);
      if (of_ == products::bf16)
        return pair_rows({.src = oihw + channel,
                          .step = out_,
                          .rows = in_,
                          .channels = real,
                          .padded = columns,
                          .to = rows,
                          .to_step = columns},
                         best_);
      for (std::size_t i = 0; i < in_; ++i, rows += columns)
        std::fill(std::copy_n(oihw + i * out_ + channel, real, rows), rows + columns, 0.0f);
    });
  }

 private:
  template <class Body>
  void for_each_panel(const Body& body) const {
    parallel_ranges(panels_.count(), panels_.width() * in_,
                    [&](std::size_t first, std::size_t last) {
                      for (std::size_t panel = first; panel < last; ++panel) body(panel);
                    });
  }

  /// Of one panel, from rows of `in` floats a channel.
  void pack_pairs(std::size_t panel, const float* rows, float* to) const {
    constexpr std::size_t most = 64;  // of k, at a time
    float block[most * 2 * lanes_of<floats16>];
    const std::size_t columns = panels_.columns(panel);
    for (std::size_t k = 0; k < in_; k += most) {
      const std::size_t some = std::min(most, in_ - k);
      panels_.pack_rows(panel, some, rows + k, in_, block);
      pair_rows({.src = block,
                 .step = columns,
                 .rows = some,
                 .channels = columns,
                 .padded = columns,
                 .to = to + k / 2 * columns,
                 .to_step = columns},
                best_);
    }
  }

  products of_;
  isa best_;
  std::size_t in_, depth_, out_;
  class panels panels_;
};

}  // namespace effnet::cpu
