#pragma once

#include <cstddef>
#include <cstdint>

#include <effnet/core/config.hpp>
#include <effnet/cuda/kernel_fault.hpp>

namespace effnet::cuda {

/// Bytes in the device's memory in which items of several types stand. Where the processor drives
/// a kernel, every access is checked against bounds and alignment.
class byte_span {
 public:
  byte_span() = default;
  EFFNET_HD byte_span(std::byte* data, std::size_t count) : data_(data), count_(count) {}

  /// Item i of those that begin at byte `place`.
  template <class T>
  EFFNET_HD const T& item(std::uint64_t place, std::size_t i = 0) const {
    return *at<T>("reads", place, i);
  }
  template <class T>
  EFFNET_HD void store(std::uint64_t place, std::size_t i, const T& value) const {
    *at<T>("writes", place, i) = value;
  }

 private:
  template <class T>
  EFFNET_HD T* at([[maybe_unused]] const char* does, std::uint64_t place, std::size_t i) const {
    const std::uint64_t first = place + i * sizeof(T);
#if !defined(__CUDA_ARCH__)
    if (sizeof(T) > count_ || first > count_ - sizeof(T))
      throw kernel_fault(sentence(does, " ", sizeof(T), " bytes at ", first, " of ", count_));
    if (reinterpret_cast<std::uintptr_t>(data_ + first) % alignof(T) != 0)
      throw kernel_fault(
          sentence(does, " ", sizeof(T), " bytes at ", first, ", where such an item cannot stand"));
#endif
    return reinterpret_cast<T*>(data_ + first);
  }

  std::byte* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace effnet::cuda
