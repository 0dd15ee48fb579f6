// The part of the programs that nvcc compiles.
#include <effnet/cuda_kernels.cuh>
