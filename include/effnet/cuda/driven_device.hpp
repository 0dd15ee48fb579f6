#pragma once

#include <cstring>
#include <string_view>

#include <effnet/core/aligned_buffer.hpp>
#include <effnet/cuda/block_driver.hpp>
#include <effnet/cuda/device.hpp>
#include <effnet/cuda/driven_upload_lane.hpp>
#include <effnet/cuda/for_each_index.hpp>

namespace effnet::cuda {

/// The processor in the place of a device: its memory, and kernels driven block by block with every
/// access checked. Slow, and there to prove what runs on a device.
class driven_device {
 public:
  using buffer = aligned_buffer;
  using upload_lane = driven_upload_lane;

  class temporary : public buffer {
   public:
    temporary(const driven_device&, std::size_t bytes) : buffer(bytes) {}
  };

  static constexpr std::string_view name() { return "driven"; }
  static constexpr bool host_memory = true;

  void upload(const float* host, float* memory, std::size_t bytes) const {
    copy(host, memory, bytes);
  }
  void download(const float* memory, float* host, std::size_t bytes) const {
    copy(memory, host, bytes);
  }
  void copy(const float* from, float* to, std::size_t bytes) const {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  void wait() const {}
  void require(products) const {}
  template <class Function>
  void for_each_index(std::size_t count, const Function& function) const {
    run(cuda::for_each_index<Function>{count, function});
  }
  template <kernel K>
  void run(const K& k) const {
    block_driver().run(k);
  }
};

}  // namespace effnet::cuda
