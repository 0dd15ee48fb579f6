#pragma once

#include <cstddef>
#include <string>

#include <effnet/cpu_training.hpp>
#include <effnet/train/resume.hpp>
#if EXAMPLE_WITH_CUDA
#include <effnet/cuda.cuh>
#include <effnet/cuda/device_facts.cuh>
#endif

#include "backend_options.hpp"
#include "training/memory_limit.hpp"
#include "training/run_options.hpp"
#include "training/run_recipe.hpp"

namespace example {

/// Training on the processor.
struct on_processor {
  int threads;  ///< 0: all

  effnet::cpu_training_backend training(const run_recipe& recipe) const {
    return effnet::cpu_training_backend(threads, recipe.deterministic, recipe.cpu);
  }
  effnet::cpu_backend judging(const run_recipe&) const { return effnet::cpu_backend(threads); }
  int judging_threads() const { return effnet::cpu_backend(threads).threads(); }
  std::size_t free_memory() const { return available_memory(); }
  std::string name() const {
    const int count = judging_threads();
    return effnet::sentence(count, count == 1 ? " thread of " : " threads of ", processor_name());
  }
  /// What decides the bits besides the settings.
  effnet::named_texts kernels(const effnet::cpu_training_backend& on) const {
    const dnnl_version_t& dnnl = *dnnl_version();
    effnet::named_texts texts = {
        {"processor", instruction_sets()},
        {"oneDNN", effnet::sentence(dnnl.major, ".", dnnl.minor, ".", dnnl.patch)},
        {"effnet", EFFNET_VERSION}};
    if (!on.deterministic()) texts.emplace_back("threads", effnet::sentence(on.threads()));
    return texts;
  }
};

#if EXAMPLE_WITH_CUDA
/// Training on a GPU; pictures are decoded by the processor's threads.
struct on_gpu {
  int threads;  ///< 0: all

  effnet::cuda_backend training(const run_recipe& recipe) const {
    return cuda_backend_with(recipe.tf32, recipe.cpu.bf16);
  }
  /// In fp32 only the training would be fast.
  effnet::cuda_backend judging(const run_recipe& recipe) const { return training(recipe); }
  int judging_threads() const { return sessions_on_gpu(threads); }
  std::size_t free_memory() const { return effnet::cuda::free_device_memory(); }
  std::string name() const { return effnet::cuda::device_name(); }
  effnet::named_texts kernels(const effnet::cuda_backend&) const {
    return {{"processor", effnet::cuda::device_name()},
            {"CUDA", effnet::cuda::runtime_version()},
            {"effnet", EFFNET_VERSION}};
  }
};
#endif

/// Calls `run(place)` with what the user chose to train on.
template <class Run>
auto with_training_place(const run_options& given, Run&& run) {
  if (given.backend == "cuda") {
#if EXAMPLE_WITH_CUDA
    return run(on_gpu{given.threads});
#else
    throw effnet::backend_error(built_without_cuda);
#endif
  }
  return run(on_processor{given.threads});
}

}  // namespace example
