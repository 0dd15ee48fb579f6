#pragma once

/// The version of the library, and the one macro that lets a function run on host and device.

#define EFFNET_VERSION_MAJOR 0
#define EFFNET_VERSION_MINOR 1
#define EFFNET_VERSION_PATCH 0
#define EFFNET_VERSION "0.1.0"

#if defined(__CUDACC__)
#define EFFNET_HD __host__ __device__
#else
#define EFFNET_HD
#endif
