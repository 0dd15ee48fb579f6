#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <effnet/core/config.hpp>
#include <effnet/cuda/floats_of.hpp>
#include <effnet/cuda/kernel_fault.hpp>
#include <effnet/cuda/stored_numbers.hpp>

namespace effnet::cuda {

/// Numbers of type `T` in the device's memory, as kernels see them: floats when they are loaded,
/// rounded when they are stored. Where the processor drives a kernel, every
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
    return widened(data_[i]);
  }
  EFFNET_HD void store(std::size_t i, float value) const {
    check("writes", i, 1);
    data_[i] = stored<number>(value);
  }
  template <int Width>
  EFFNET_HD floats_of<Width> load(std::size_t i) const {
    check("reads", i, Width);
    group<Width> numbers;
#if defined(__CUDA_ARCH__)
    numbers = *reinterpret_cast<const group<Width>*>(data_ + i);
#else
    std::memcpy(&numbers, data_ + i, sizeof numbers);
#endif
    floats_of<Width> some;
    EFFNET_UNROLL
    for (int v = 0; v < Width; ++v) some[v] = widened(numbers.at[v]);
    return some;
  }
  template <int Width>
  EFFNET_HD void store(std::size_t i, const floats_of<Width>& some) const {
    check("writes", i, Width);
    group<Width> numbers;
    EFFNET_UNROLL
    for (int v = 0; v < Width; ++v) numbers.at[v] = stored<number>(some[v]);
#if defined(__CUDA_ARCH__)
    *reinterpret_cast<group<Width>*>(data_ + i) = numbers;
#else
    std::memcpy(data_ + i, &numbers, sizeof numbers);
#endif
  }

 private:
  using number = std::remove_const_t<T>;
  /// What one access moves.
  template <int Width>
  struct alignas(Width * sizeof(number)) group {
    number at[Width];
  };

  EFFNET_HD void check([[maybe_unused]] const char* does, [[maybe_unused]] std::size_t i,
                       [[maybe_unused]] std::size_t width) const {
#if !defined(__CUDA_ARCH__)
    if (width > count_ || i > count_ - width)
      throw kernel_fault(sentence(does, " ", width, " numbers at ", i, " of ", count_));
    if (reinterpret_cast<std::uintptr_t>(data_ + i) % (width * sizeof(number)) != 0)
      throw kernel_fault(
          sentence(does, " ", width, " numbers at ", i, ", which is no multiple of their size"));
#endif
  }

  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace effnet::cuda
