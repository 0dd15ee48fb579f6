#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include <effnet/core/rounded_up.hpp>
#include <effnet/cuda/gpu_convolution.hpp>

namespace effnet::cuda {

/// The first half of an MBConv block: expand, unless the ratio is 1, and depthwise, which also sums
/// what it stores for squeeze-excite.
template <device D>
class gpu_expand_depthwise {
 public:
  gpu_expand_depthwise(std::optional<gpu_convolution<D>> expand, gpu_convolution<D> depthwise,
                       const shape4& wide, dtype maps)
      : expand_(std::move(expand)), depthwise_(std::move(depthwise)), wide_(wide), maps_(maps) {}

  const gpu_convolution<D>& expand() const { return *expand_; }
  const gpu_convolution<D>& depthwise() const { return depthwise_; }
  std::string_view implementation() const { return depthwise_.implementation(); }
  /// The expanded tensor, and parts of sums.
  std::size_t scratch_bytes() const {
    return wide_bytes() + depthwise_.mean_floats() * sizeof(float);
  }

  /// `expand` is null where there is none, `means` where they are not wanted.
  void run(const packed_weights<D>* expand, const packed_weights<D>& depthwise,
           const_tensor_view src, tensor_view dst, float* means, std::byte* scratch) const {
    const tensor_view wide{reinterpret_cast<float*>(scratch), wide_, maps_};
    if (expand_) {
      expand_->forward(*expand, src, wide);
      src = wide;
    }
    if (means != nullptr)
      depthwise_.forward_with_means(depthwise, src, dst, means,
                                    reinterpret_cast<float*>(scratch + wide_bytes()));
    else
      depthwise_.forward(depthwise, src, dst);
  }

 private:
  /// A multiple of the widest access, for what stands behind.
  std::size_t wide_bytes() const {
    return expand_ ? rounded_up(wide_.elements() * size_of(maps_), std::size_t{16}) : 0;
  }

  std::optional<gpu_convolution<D>> expand_;
  gpu_convolution<D> depthwise_;
  shape4 wide_;
  dtype maps_;
};

}  // namespace effnet::cuda
