#pragma once

/// The version of the library, and what lets a function run on host and device.

#define EFFNET_VERSION_MAJOR 0
#define EFFNET_VERSION_MINOR 1
#define EFFNET_VERSION_PATCH 0
#define EFFNET_VERSION "0.1.0"

#if defined(__CUDACC__)
#define EFFNET_HD __host__ __device__
#else
#define EFFNET_HD
#endif

/// Before a loop that a GPU must unroll, lest the array that it walks leave the registers.
#if defined(__CUDA_ARCH__)
#define EFFNET_UNROLL _Pragma("unroll")
#else
#define EFFNET_UNROLL
#endif
