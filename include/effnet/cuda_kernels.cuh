#pragma once

/// All kernels of `effnet::cuda_backend`, for inference and for training with the optimizers that
/// effnet has: one source file of a program includes it, and nvcc compiles that. One with an
/// optimizer of its own adds `template void effnet::cuda::cuda_device::run(...)` of its update.

#include <effnet/cuda/cuda_backend.cuh>
#include <effnet/cuda/cuda_launches.cuh>
#include <effnet/train/optimizer.hpp>
#include <effnet/train/tensor_pieces.hpp>

namespace effnet::cuda {

template class weight_packer<cuda_device>;
template class gpu_convolution<cuda_device>;
template class gpu_expand_depthwise<cuda_device>;
template class gpu_squeeze_excite<cuda_device>;
template class gpu_data_gradient<cuda_device>;
template class gpu_weight_gradient<cuda_device>;
template class gpu_backend<cuda_device>;
template class batch_uploads<cuda_device>;

template void cuda_device::run(const piece_kernel<start_averages>&) const;
template void cuda_device::run(const piece_kernel<copy_statistics>&) const;
template void cuda_device::run(const piece_kernel<gather_gradients>&) const;
template void cuda_device::run(const piece_kernel<update_pieces<sgd>>&) const;
template void cuda_device::run(const piece_kernel<update_pieces<rmsprop>>&) const;
template void cuda_device::run(const piece_kernel<update_pieces<adamw>>&) const;

}  // namespace effnet::cuda
