#pragma once

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include <effnet/backend/backend.hpp>
#include <effnet/core/aligned_buffer.hpp>
#include <effnet/core/error.hpp>
#include <effnet/cpu/activation.hpp>
#include <effnet/cpu/convolution.hpp>
#include <effnet/cpu/elementwise.hpp>
#include <effnet/cpu/expand_depthwise.hpp>
#include <effnet/cpu/pooling.hpp>
#include <effnet/cpu/thread_scope.hpp>

namespace effnet {

/// Own kernels and oneDNN's, whichever is faster for an op; OpenMP threads, shared
/// with oneDNN. Equal thread counts give equal bits.
class cpu_backend {
 public:
  using buffer = aligned_buffer;
  using conv = cpu::convolution;
  using packed = cpu::packed_weights;
  using expand_depthwise = cpu::expand_depthwise;

  static constexpr int most_threads = 1024;  ///< OpenMP crashes where a stack runs out

  /// As many threads as OpenMP would use here.
  cpu_backend() : cpu_backend(omp_get_max_threads()) {}
  /// 0 or less: as above. Never more than OMP_THREAD_LIMIT: oneDNN's weight gradients plan for a
  /// number of threads and wait for each. Throws `backend_error` above `most_threads`, and where
  /// bf16 is asked for that the processor does not have.
  explicit cpu_backend(int threads, const cpu_options& options = {})
      : options_(options),
        threads_(std::min(threads > 0 ? threads : omp_get_max_threads(), omp_get_thread_limit())) {
    if (threads > most_threads)
      throw backend_error(sentence("the cpu backend cannot run on ", threads,
                                   " threads; ask for at most ", most_threads));
    if (options.bf16 && !cpu::has_bf16())
      throw backend_error(
          "the cpu backend cannot compute in bf16 on this processor, which has no AVX512_BF16; "
          "compute in fp32");
  }

  static constexpr std::string_view name() { return "cpu"; }
  int threads() const { return threads_; }
  const cpu_options& options() const { return options_; }
  cpu_backend with_threads(int threads) const {
    return cpu_backend(threads > 0 ? threads : threads_, options_);
  }

  cpu::thread_scope enter() const { return cpu::thread_scope(threads_); }
  template <class Body>
  void run_groups(std::size_t count, const Body& body) const {
    const cpu_backend one = with_threads(1);
    cpu::parallel_items_apart(
        count, [&](std::size_t worker, std::size_t group) { body(one, worker, group); });
  }
  void upload(const float* host, float* memory, std::size_t bytes) const {
    std::memcpy(memory, host, bytes);
  }
  void download(const float* memory, float* host, std::size_t bytes) const {
    std::memcpy(host, memory, bytes);
  }

  conv plan_conv(const conv_problem& problem, const epilogue& then = {}) const {
    return conv(problem, then, options_);
  }
  void conv_forward(const conv& op, const packed& weights, const_tensor_view src, tensor_view dst,
                    std::byte* scratch) const {
    op.forward(weights, src.data, dst.data, scratch);
  }

  conv plan_gated_conv(const conv_problem& problem, const epilogue& then) const {
    return conv::gated(problem, then, options_);
  }
  void conv_forward_gated(const conv& op, const packed& weights, const_tensor_view src,
                          const_tensor_view gate, tensor_view dst, std::byte* scratch) const {
    op.forward_gated(weights, src.data, gate.data, dst.data, scratch);
  }
  expand_depthwise plan_expand_depthwise(const conv_problem* expand, const conv_problem& depthwise,
                                         activation act) const {
    const auto products =
        expand != nullptr ? cpu::products_of(*expand, options_) : cpu::products::fp32;
    return expand_depthwise(expand, depthwise, act, products);
  }
  void expand_depthwise_forward(const expand_depthwise& op, const packed* expand,
                                const packed& depthwise, const_tensor_view src, tensor_view dst,
                                float* means, std::byte* scratch) const {
    op.forward(expand, depthwise, src.data, dst.data, means, scratch);
  }

  void activation_forward(activation act, const_tensor_view src, tensor_view dst) const {
    cpu::activation_forward(act, src, dst);
  }
  void add_forward(const_tensor_view a, const_tensor_view b, tensor_view dst) const {
    cpu::add_forward(a, b, dst);
  }
  void scale_channels_forward(const_tensor_view src, const_tensor_view gate,
                              tensor_view dst) const {
    cpu::scale_channels_forward(src, gate, dst);
  }
  void global_pool_forward(const_tensor_view src, tensor_view dst) const {
    cpu::global_pool_forward(src, dst);
  }
  void max_pool_forward(const max_pool_problem& problem, const_tensor_view src,
                        tensor_view dst) const {
    cpu::max_pool_forward(problem, src, dst);
  }

 private:
  cpu_options options_;
  int threads_;
};

static_assert(fuses_mbconv<cpu_backend> && runs_groups_apart<cpu_backend>);

}  // namespace effnet
