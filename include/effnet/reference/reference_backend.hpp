#pragma once

#include <cstring>
#include <string_view>

#include <effnet/backend/backend.hpp>
#include <effnet/core/aligned_buffer.hpp>
#include <effnet/reference/convolution.hpp>
#include <effnet/reference/elementwise.hpp>
#include <effnet/reference/pooling.hpp>

namespace effnet {

/// The judge of every other backend: each op as its definition says, on one thread, with Eigen for
/// matrix products.
class reference_backend {
 public:
  using buffer = aligned_buffer;
  using conv = reference::convolution;
  using packed = reference::packed_weights;

  static constexpr std::string_view name() { return "reference"; }
  int threads() const { return 1; }
  reference_backend with_threads(int) const { return *this; }

  struct scope {
    ~scope() {}
  };
  scope enter() const { return {}; }
  void upload(const float* host, float* memory, std::size_t bytes) const {
    std::memcpy(memory, host, bytes);
  }
  void download(const float* memory, float* host, std::size_t bytes) const {
    std::memcpy(host, memory, bytes);
  }

  conv plan_conv(const conv_problem& problem) const { return conv(problem); }
  void conv_forward(const conv& op, const packed& weights, const_tensor_view src, tensor_view dst,
                    std::byte* scratch) const {
    op.forward(weights, src.data, dst.data, reinterpret_cast<float*>(scratch));
  }

  void activation_forward(activation act, const_tensor_view src, tensor_view dst) const {
    reference::activation_forward(act, src, dst);
  }
  void add_forward(const_tensor_view a, const_tensor_view b, tensor_view dst) const {
    reference::add_forward(a, b, dst);
  }
  void scale_channels_forward(const_tensor_view src, const_tensor_view gate,
                              tensor_view dst) const {
    reference::scale_channels_forward(src, gate, dst);
  }
  void global_pool_forward(const_tensor_view src, tensor_view dst) const {
    reference::global_pool_forward(src, dst);
  }
  void max_pool_forward(const max_pool_problem& problem, const_tensor_view src,
                        tensor_view dst) const {
    reference::max_pool_forward(problem, src, dst);
  }
};

static_assert(backend<reference_backend>);

}  // namespace effnet
