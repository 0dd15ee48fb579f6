#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>

#include <effnet/cpu.hpp>
#if EXAMPLE_WITH_CUDA
#include <effnet/cuda.cuh>
#endif
#include <effnet/reference.hpp>

#include "program.hpp"

namespace example {

inline constexpr const char* built_without_cuda =
    "--backend cuda: this program was built without CUDA; build it with preset cuda";

/// What a network runs on.
struct backend_options {
  std::string name = "cpu";
  int threads = 0;  ///< 0: all
  effnet::cpu_options cpu;
  bool tf32 = false, fp16 = false;
};

/// Refuses roundings that a backend does not know.
inline void check_rounding(const std::string& backend, bool tf32, bool bf16, bool fp16 = false) {
  if (tf32 + bf16 + fp16 > 1) throw usage_error("--tf32, --bf16 and --fp16 exclude each other");
  if ((tf32 || fp16) && backend != "cuda")
    throw usage_error(effnet::sentence(tf32 ? "--tf32" : "--fp16", " is for --backend cuda"));
  if (bf16 && backend == "reference")
    throw usage_error("--bf16 is for the backends cpu and cuda; the reference computes in fp32");
}

#if EXAMPLE_WITH_CUDA
inline effnet::cuda_backend cuda_backend_with(bool tf32, bool bf16, bool fp16 = false) {
  using effnet::cuda::products;
  return effnet::cuda_backend(tf32   ? products::tf32
                              : bf16 ? products::bf16
                              : fp16 ? products::fp16
                                     : products::fp32);
}
#endif

inline void add_backend_options(CLI::App& app, backend_options& chosen) {
  add_choice(app, "--backend", chosen.name, {"cpu", "cuda", "reference"}, "What it runs on")
      ->capture_default_str();
  app.add_option("--threads", chosen.threads, "Threads that compute (default: all)")
      ->check(between(1, 1024))
      ->type_name("N");
  app.add_flag("--winograd,!--no-winograd", chosen.cpu.winograd,
               "Dense 3x3 by Winograd's F(4x4, 3x3) where that is faster (default), or directly: "
               "results of a layer differ by 2e-5 of the largest at most");
  app.add_flag(
      "--bf16", chosen.cpu.bf16,
      "1x1 convolutions multiply numbers rounded to bf16, where the processor can: faster, logits "
      "some 1e-3 of the largest away; on a GPU all dense ones, and maps are stored in bf16");
  app.add_flag("--tf32", chosen.tf32, "On a GPU: dense convolutions multiply in TF32");
  app.add_flag("--fp16", chosen.fp16, "On a GPU: they multiply in fp16, and maps are stored in it");
}

/// Threads that prepare pictures for a GPU, each with a session and its memory there.
inline int sessions_on_gpu(int threads) {
  constexpr int most_unasked = 8;
  if (threads > 0) return threads;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, most_unasked);
}

/// Threads for a program that divides its work among them itself.
inline std::size_t thread_count(const backend_options& chosen) {
  if (chosen.name == "cuda") return static_cast<std::size_t>(sessions_on_gpu(chosen.threads));
  return chosen.threads > 0 ? static_cast<std::size_t>(chosen.threads)
                            : std::max(1u, std::thread::hardware_concurrency());
}

/// Calls `run(backend)` with the backend that the user chose. Programs are templates on it: this is
/// the only place that knows the list.
template <class Run>
auto with_backend(const backend_options& chosen, Run&& run) {
  check_rounding(chosen.name, chosen.tf32, chosen.cpu.bf16, chosen.fp16);
  if (chosen.name == "cuda") {
#if EXAMPLE_WITH_CUDA
    return run(cuda_backend_with(chosen.tf32, chosen.cpu.bf16, chosen.fp16));
#else
    throw effnet::backend_error(built_without_cuda);
#endif
  }
  if (chosen.name == "reference")
    return run(effnet::reference_backend().with_threads(chosen.threads));
  return run(effnet::cpu_backend(chosen.threads, chosen.cpu));
}

}  // namespace example
