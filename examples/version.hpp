#pragma once

#include <cstddef>
#include <cstdio>
// after <cstdio>, which it needs and does not include
#include <jpeglib.h>
#include <oneapi/dnnl/dnnl.h>
#include <png.h>

#include <fstream>
#include <string>
#include <thread>

#include <Eigen/Core>

#if EXAMPLE_WITH_CUDA
#include <effnet/cuda/device_facts.cuh>
#endif
#include <effnet/core/config.hpp>
#include <effnet/core/error.hpp>
#include <effnet/cpu/isa.hpp>

namespace example {

inline std::string processor_name() {
  std::ifstream facts("/proc/cpuinfo");
  for (std::string line; std::getline(facts, line);)
    if (line.starts_with("model name"))
      if (const std::size_t colon = line.find(": "); colon != line.npos)
        return line.substr(colon + 2);
  return "unknown processor";
}

/// The widest vector instructions that the processor has.
inline std::string instruction_sets() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  std::string sets = "SSE4.2";
  if (__builtin_cpu_supports("avx2")) sets = "AVX2";
  if (__builtin_cpu_supports("fma")) sets += ", FMA";
  if (__builtin_cpu_supports("avx512f")) sets += ", AVX-512F";
  if (__builtin_cpu_supports("avx512vnni")) sets += ", AVX-512 VNNI";
  if (__builtin_cpu_supports("avx512bf16")) sets += ", AVX-512 BF16";
  if (effnet::cpu::divides_fast()) sets += ", fast division";
  return sets;
#else
  return "baseline";
#endif
}

/// What a program was built for and finds; a line, or nothing where it was built without CUDA.
inline std::string gpu_text() {
#if EXAMPLE_WITH_CUDA
  const std::string missing = effnet::cuda::why_no_device();
  return effnet::sentence("GPU         ", missing.empty() ? effnet::cuda::device_name() : missing,
                          ", CUDA ", effnet::cuda::runtime_version(), "\n");
#else
  return "";
#endif
}

/// What `--version` prints: enough for a report of a wrong or slow result to be understood.
inline std::string version_text(const std::string& program) {
  using effnet::sentence;
  const dnnl_version_t& dnnl = *dnnl_version();
#if defined(__clang__)
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
#if defined(LIBJPEG_TURBO_VERSION)
#define EFFNET_TEXT_OF(token) #token
#define EFFNET_TEXT(macro) EFFNET_TEXT_OF(macro)
  const std::string jpeg = "libjpeg-turbo " EFFNET_TEXT(LIBJPEG_TURBO_VERSION);
#undef EFFNET_TEXT
#undef EFFNET_TEXT_OF
#else
  const std::string jpeg = sentence("libjpeg ", JPEG_LIB_VERSION / 10);
#endif
  return sentence(program, " (effnet ", EFFNET_VERSION, ")\n",        //
                  "processor   ", processor_name(), ", ",             //
                  std::thread::hardware_concurrency(), " threads\n",  //
                  "vectors     ", instruction_sets(), "\n",           //
                  gpu_text(),                                         //
                  "oneDNN      ", dnnl.major, ".", dnnl.minor, ".", dnnl.patch, "\n",
                  "Eigen       ", EIGEN_WORLD_VERSION, ".", EIGEN_MAJOR_VERSION, ".",
                  EIGEN_MINOR_VERSION, "\n",  //
                  "images      ", jpeg, ", libpng ", png_get_libpng_ver(nullptr), "\n",
                  "compiler    ", compiler);
}

}  // namespace example
