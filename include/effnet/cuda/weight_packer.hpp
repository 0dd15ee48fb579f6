#pragma once

#include <utility>

#include <effnet/backend/problems.hpp>
#include <effnet/cuda/device.hpp>
#include <effnet/cuda/packed_weights.hpp>
#include <effnet/cuda/weight_layouts.hpp>

namespace effnet::cuda {

/// Weights of a convolution, brought into a layout.
template <device D>
class weight_packer {
 public:
  weight_packer(D on, const conv_problem& problem, weight_layout layout)
      : on_(std::move(on)), problem_(problem), layout_(layout) {}

  weight_layout layout() const { return layout_; }
  /// From OIHW of either side's memory.
  packed_weights<D> pack(const float* oihw, const float* bias) const {
    packed_weights<D> packed;
    packed.weight_count = problem_.weights();
    packed.weights = typename D::buffer(packed.weight_count * sizeof(float));
    if (bias != nullptr) {
      packed.bias_count = static_cast<std::size_t>(problem_.out);
      packed.bias = typename D::buffer(packed.bias_count * sizeof(float));
    }
    with_weights_there(on_, oihw, packed.weight_count,
                       [&](const float* there) { repack(there, bias, packed); });
    return packed;
  }
  /// From the device's memory, into what `pack` made.
  void repack(const float* oihw, const float* bias, packed_weights<D>& packed) const {
    auto* to = reinterpret_cast<float*>(packed.weights.data());
    on_.for_each_index(packed.weight_count,
                       lay_out_weights<float>{.layout = layout_,
                                              .out = problem_.out,
                                              .in = problem_.src.c / problem_.groups,
                                              .taps = problem_.kernel * problem_.kernel,
                                              .oihw = {oihw, packed.weight_count},
                                              .to = {to, packed.weight_count}});
    if (bias != nullptr)
      on_.copy(bias, reinterpret_cast<float*>(packed.bias.data()),
               packed.bias_count * sizeof(float));
  }

 private:
  D on_;
  conv_problem problem_;
  weight_layout layout_;
};

}  // namespace effnet::cuda
