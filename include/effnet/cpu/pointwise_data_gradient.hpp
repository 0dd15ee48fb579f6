#pragma once

#include <cstddef>
#include <string_view>

#include <effnet/cpu/pointwise.hpp>

namespace effnet::cpu {

/// The gradient of a dense 1x1 convolution by its source: the 1x1 the other way round, with the
/// forward pass's weights. They are read as they stand or packed in every run, so that training
/// keeps no second copy of them.
class pointwise_data_gradient {
 public:
  /// `turned`: the 1x1 from the result's gradient to the source's.
  explicit pointwise_data_gradient(const conv_problem& turned, products of = products::fp32,
                                   isa best = best_isa())
      : kernel_(turned, epilogue{}, source_form::plain, of, best),
        plain_(reads_plain(turned, of, best)) {}

  std::size_t scratch_bytes() const {
    return kernel_.scratch_bytes() + (plain_ ? 0 : kernel_.weights().bytes());
  }
  weight_layout layout() const { return kernel_.layout(); }
  std::string_view implementation() const { return kernel_.implementation(); }

  packed_weights pack(const float* oihw) const {
    packed_weights packed;
    repack(oihw, packed);
    return packed;
  }
  void repack(const float* oihw, packed_weights& packed) const { packed.plain = oihw; }

  void run(const packed_weights& packed, const float* diff_dst, float* diff_src,
           std::byte* scratch) const {
    if (plain_) {
      kernel_.forward({.weights = packed.plain, .plain = true}, diff_dst, diff_src, scratch);
      return;
    }
    auto* weights = reinterpret_cast<float*>(scratch + kernel_.scratch_bytes());
    kernel_.weights().pack_turned(packed.plain, weights);
    kernel_.forward({.weights = weights}, diff_dst, diff_src, scratch);
  }

 private:
  /// Rows of a panel are pages apart: where images pass by, it takes two cache lines of each row to
  /// leave them there.
  bool reads_plain(const conv_problem& turned, products of, isa best) const {
    const bool images = turned.src.h * turned.src.w > 1;
    const bool whole =
        kernel_.weights().panels().all_columns() == static_cast<std::size_t>(turned.out);
    return of == products::fp32 && whole && (best == isa::avx512 || !images);
  }

  pointwise_convolution kernel_;
  bool plain_;
};

}  // namespace effnet::cpu
