#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include <effnet/cuda/gpu_convolution.hpp>

namespace effnet::cuda {

/// The first half of an MBConv block: expand, unless the ratio is 1, and depthwise, which also sums
/// what it stores for squeeze-excite.
template <device D>
class gpu_expand_depthwise {
 public:
  gpu_expand_depthwise(std::optional<gpu_convolution<D>> expand, gpu_convolution<D> depthwise,
                       std::size_t wide_elements)
      : expand_(std::move(expand)), depthwise_(std::move(depthwise)), wide_(wide_elements) {}

  const gpu_convolution<D>& expand() const { return *expand_; }
  const gpu_convolution<D>& depthwise() const { return depthwise_; }
  std::string_view implementation() const { return depthwise_.implementation(); }
  /// The expanded tensor, and parts of sums.
  std::size_t scratch_bytes() const {
    return (wide_floats() + depthwise_.mean_floats()) * sizeof(float);
  }

  /// `expand` is null where there is none, `means` where they are not wanted.
  void run(const packed_weights<D>* expand, const packed_weights<D>& depthwise, const float* src,
           float* dst, float* means, std::byte* scratch) const {
    auto* wide = reinterpret_cast<float*>(scratch);
    if (expand_) expand_->forward(*expand, std::exchange(src, wide), wide);
    if (means != nullptr)
      depthwise_.forward_with_means(depthwise, src, dst, means, wide + wide_floats());
    else
      depthwise_.forward(depthwise, src, dst);
  }

 private:
  /// A multiple of the widest access, for what stands behind.
  std::size_t wide_floats() const { return expand_ ? (wide_ + 3) / 4 * 4 : 0; }

  std::optional<gpu_convolution<D>> expand_;
  gpu_convolution<D> depthwise_;
  std::size_t wide_;
};

}  // namespace effnet::cuda
