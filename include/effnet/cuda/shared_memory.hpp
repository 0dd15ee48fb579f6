#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include <effnet/core/config.hpp>
#include <effnet/cuda/floats_of.hpp>
#include <effnet/cuda/kernel_fault.hpp>

namespace effnet::cuda {

/// The processor's stand-in for a block's shared memory. It knows who touched a float since the
/// last barrier: whatever depends on which thread comes first is a fault, as is reading what nobody
/// wrote.
class checked_shared_memory {
 public:
  /// For a block that starts.
  void begin(std::size_t floats) {
    cells_.assign(floats, {});
    phase_ = 1;
  }
  void barrier() { ++phase_; }
  /// Whose accesses follow.
  void enter(unsigned thread) { thread_ = thread; }

  static void check_aligned(std::size_t i, int width) {
    if (i % static_cast<std::size_t>(width) != 0)
      throw kernel_fault(sentence("moves ", width, " shared floats at ", i,
                                  ", which is no multiple of their number"));
  }
  float load(std::size_t i) {
    cell& at = cell_at("reads", i);
    if (at.written == 0)
      throw kernel_fault(sentence("reads shared float ", i, ", which nobody wrote"));
    if (at.written == phase_ && at.writer != thread_)
      throw kernel_fault(sentence("reads shared float ", i, ", which thread ", at.writer,
                                  " wrote with no barrier between"));
    at.reader = at.read == phase_ && at.reader != thread_ ? several : thread_;
    at.read = phase_;
    return at.value;
  }
  void store(std::size_t i, float value) {
    cell& at = cell_at("writes", i);
    if (at.written == phase_ && at.writer != thread_)
      throw kernel_fault(sentence("writes shared float ", i, ", as thread ", at.writer,
                                  " did with no barrier between"));
    if (at.read == phase_ && at.reader != thread_)
      throw kernel_fault(
          sentence("writes shared float ", i, ", which another read with no barrier between"));
    at.written = phase_, at.writer = thread_, at.value = value;
  }

 private:
  static constexpr unsigned several = std::numeric_limits<unsigned>::max();
  struct cell {
    float value = 0;
    unsigned written = 0, writer = 0;  // in which phase, by whom; phases count from 1
    unsigned read = 0, reader = 0;
  };

  cell& cell_at(const char* does, std::size_t i) {
    if (i >= cells_.size())
      throw kernel_fault(sentence(does, " shared float ", i, " of ", cells_.size()));
    return cells_[i];
  }

  std::vector<cell> cells_;
  unsigned phase_ = 1, thread_ = 0;
};

/// A block's shared memory as kernels see it: floats by number.
class shared_memory {
 public:
#if defined(__CUDACC__)
  __device__ explicit shared_memory(float* memory) : memory_(memory) {}
#endif
  explicit shared_memory(checked_shared_memory& checked) : checked_(&checked) {}

  EFFNET_HD float load(std::size_t i) const {
#if defined(__CUDA_ARCH__)
    return memory_[i];
#else
    return checked_->load(i);
#endif
  }
  EFFNET_HD void store(std::size_t i, float value) const {
#if defined(__CUDA_ARCH__)
    memory_[i] = value;
#else
    checked_->store(i, value);
#endif
  }
  /// `i` is a multiple of the width.
  template <int Width>
  EFFNET_HD floats_of<Width> load(std::size_t i) const {
#if defined(__CUDA_ARCH__)
    return *reinterpret_cast<const floats_of<Width>*>(memory_ + i);
#else
    checked_->check_aligned(i, Width);
    floats_of<Width> some;
    for (int v = 0; v < Width; ++v) some[v] = load(i + static_cast<std::size_t>(v));
    return some;
#endif
  }
  template <int Width>
  EFFNET_HD void store(std::size_t i, const floats_of<Width>& some) const {
#if defined(__CUDA_ARCH__)
    *reinterpret_cast<floats_of<Width>*>(memory_ + i) = some;
#else
    checked_->check_aligned(i, Width);
    for (int v = 0; v < Width; ++v) store(i + static_cast<std::size_t>(v), some[v]);
#endif
  }

 private:
  // Both on either side, so that host and device agree about the class.
  float* memory_ = nullptr;
  checked_shared_memory* checked_ = nullptr;
};

}  // namespace effnet::cuda
