#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cpu/packed_weights.hpp>
#include <effnet/cpu/panels.hpp>

namespace effnet::cpu {

/// Packs the weights of a depthwise convolution for `depthwise_row`: [panel][tap][columns of the
/// panel].
class depthwise_weights {
 public:
  depthwise_weights(const conv_problem& problem, isa best)
      : taps_(static_cast<std::size_t>(problem.kernel) * static_cast<std::size_t>(problem.kernel)),
        channels_(static_cast<std::size_t>(problem.out)),
        panels_(channels_, best) {}

  weight_layout layout() const {
    return {
        .kind = kernel_kind::depthwise, .direct = {}, .block = static_cast<int>(panels_.width())};
  }
  packed_weights pack(const float* oihw, const float* bias) const {
    packed_weights packed = unfilled();
    repack(oihw, bias, packed);
    return packed;
  }
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    fill_bias(bias, channels_, packed);
    fill(packed, [&](std::size_t c, std::size_t tap) { return oihw[c * taps_ + tap]; });
  }
  /// Filters turned by half a turn, for the gradient by the source.
  packed_weights pack_turned(const float* oihw) const {
    packed_weights packed = unfilled();
    repack_turned(oihw, packed);
    return packed;
  }
  void repack_turned(const float* oihw, packed_weights& packed) const {
    fill_bias(nullptr, channels_, packed);
    fill(packed, [&](std::size_t c, std::size_t tap) { return oihw[(c + 1) * taps_ - 1 - tap]; });
  }

 private:
  packed_weights unfilled() const {
    return {aligned_buffer(panels_.all_columns() * taps_ * sizeof(float)),
            aligned_buffer(channels_ * sizeof(float))};
  }
  template <class Weight>
  void fill(packed_weights& packed, const Weight& weight) const {
    auto* to = reinterpret_cast<float*>(packed.weights.data());
    for (std::size_t panel = 0; panel < panels_.count(); ++panel)
      panels_.pack(panel, taps_, weight, to + panels_.first(panel) * taps_);
  }

  std::size_t taps_, channels_;
  panels panels_;
};

}  // namespace effnet::cpu
