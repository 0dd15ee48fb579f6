#pragma once

#include <utility>
#include <vector>

#include <effnet/cuda/packed_weights.hpp>
#include <effnet/cuda/source_of_type.hpp>
#include <effnet/cuda/weight_layouts.hpp>

namespace effnet::cuda {

/// Weights of a dense convolution as libraries read them: [out][taps][in], rounded to the type that
/// is multiplied.
template <device D>
class library_packer {
 public:
  library_packer(D on, const conv_problem& problem, dtype numbers)
      : on_(std::move(on)), problem_(problem), numbers_(numbers) {}

  static constexpr weight_layout layout() { return weight_layout::filters; }

  /// From OIHW of either side's memory.
  packed_weights<D> pack(const float* oihw) const {
    packed_weights<D> packed;
    packed.weight_count = problem_.weights();
    packed.weights = typename D::buffer(packed.weight_count * size_of(numbers_));
    with_weights_there(on_, oihw, packed.weight_count,
                       [&](const float* there) { repack(there, packed); });
    return packed;
  }
  /// With a bias, which may be null: a product that was planned with one adds zeros then.
  packed_weights<D> pack(const float* oihw, const float* bias) const {
    packed_weights<D> packed = pack(oihw);
    const auto out = static_cast<std::size_t>(problem_.out);
    packed.bias = typename D::buffer(out * sizeof(float));
    if (numbers_ != dtype::f32) packed.stored_bias = typename D::buffer(out * size_of(numbers_));
    if (bias != nullptr) packed.bias_count = out;
    const std::vector<float> zeros(out);
    repack_bias(bias != nullptr ? bias : zeros.data(), packed);
    return packed;
  }

  /// From the device's memory, into what `pack` made.
  void repack(const float* oihw, packed_weights<D>& packed) const {
    with_stored_type(numbers_, [&]<class T>() {
      on_.for_each_index(packed.weight_count,
                         lay_out_weights<T>{.layout = layout(),
                                            .out = problem_.out,
                                            .in = problem_.src.c,
                                            .taps = problem_.kernel * problem_.kernel,
                                            .oihw = {oihw, packed.weight_count},
                                            .to = {reinterpret_cast<T*>(packed.weights.data()),
                                                   packed.weight_count}});
    });
  }
  void repack(const float* oihw, const float* bias, packed_weights<D>& packed) const {
    repack(oihw, packed);
    if (bias != nullptr) repack_bias(bias, packed);
  }

 private:
  void repack_bias(const float* bias, packed_weights<D>& packed) const {
    const auto out = static_cast<std::size_t>(problem_.out);
    auto* to = reinterpret_cast<float*>(packed.bias.data());
    on_.copy(bias, to, out * sizeof(float));
    if (numbers_ == dtype::f32) return;
    with_stored_type(numbers_, [&]<class T>() {
      on_.for_each_index(
          out,
          convert_elements<T>{{to, out}, {reinterpret_cast<T*>(packed.stored_bias.data()), out}});
    });
  }

  D on_;
  conv_problem problem_;
  dtype numbers_;
};

}  // namespace effnet::cuda
