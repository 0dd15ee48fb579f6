#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <effnet/core/config.hpp>
#include <effnet/cuda/floats_of.hpp>
#include <effnet/cuda/kernel_fault.hpp>

namespace effnet::cuda {

/// Floats in the device's memory, as kernels see them. Where the processor drives a kernel, every
/// access is checked against bounds and alignment; on a device it is a plain load or store. An
/// empty span stands for an argument that is not given.
template <class T>
class global_span {
 public:
  global_span() = default;
  EFFNET_HD global_span(T* data, std::size_t count) : data_(data), count_(count) {}

  EFFNET_HD bool empty() const { return data_ == nullptr; }

  EFFNET_HD float load(std::size_t i) const {
    check("reads", i, 1);
    return data_[i];
  }
  EFFNET_HD void store(std::size_t i, float value) const {
    check("writes", i, 1);
    data_[i] = value;
  }
  template <int Width>
  EFFNET_HD floats_of<Width> load(std::size_t i) const {
    check("reads", i, Width);
#if defined(__CUDA_ARCH__)
    return *reinterpret_cast<const floats_of<Width>*>(data_ + i);
#else
    floats_of<Width> some;
    std::memcpy(&some, data_ + i, sizeof some);
    return some;
#endif
  }
  template <int Width>
  EFFNET_HD void store(std::size_t i, const floats_of<Width>& some) const {
    check("writes", i, Width);
#if defined(__CUDA_ARCH__)
    *reinterpret_cast<floats_of<Width>*>(data_ + i) = some;
#else
    std::memcpy(data_ + i, &some, sizeof some);
#endif
  }

 private:
  EFFNET_HD void check([[maybe_unused]] const char* does, [[maybe_unused]] std::size_t i,
                       [[maybe_unused]] std::size_t width) const {
#if !defined(__CUDA_ARCH__)
    if (width > count_ || i > count_ - width)
      throw kernel_fault(sentence(does, " ", width, " floats at ", i, " of ", count_));
    if (reinterpret_cast<std::uintptr_t>(data_ + i) % (width * sizeof(float)) != 0)
      throw kernel_fault(
          sentence(does, " ", width, " floats at ", i, ", which is no multiple of their size"));
#endif
  }

  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace effnet::cuda
