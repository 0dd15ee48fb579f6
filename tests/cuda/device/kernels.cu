#include <effnet/cuda_kernels.cuh>

#include "add_one_to_pieces.hpp"

template void effnet::cuda::cuda_device::run(
    const piece_kernel<effnet::testing::add_one_to_pieces>&) const;
