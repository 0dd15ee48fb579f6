#pragma once

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>

namespace effnet::detail {

/// How libjpeg and libpng report a fatal error: their callback must not return, and must not throw
/// through C frames either. `run` marks where to come back to, `spring` goes there.
///
/// Everything that `run` calls keeps only trivially destructible objects on the stack while the C
/// library runs, so that no destructor is jumped over; buffers belong to the caller of `run`.
class image_trap {
 public:
  /// True when `call` came back by itself, false when the trap sprang.
  template <class Call>
  bool run(const Call& call) {
    if (setjmp(landing_) != 0) return false;
    call();
    return true;
  }

  [[noreturn]] void spring(const char* reason) {
    const std::size_t length = std::min(std::strlen(reason), reason_.size() - 1);
    std::memmove(reason_.data(), reason, length);
    reason_[length] = 0;
    std::longjmp(landing_, 1);
  }

  const char* reason() const { return reason_.data(); }

 private:
  std::jmp_buf landing_ = {};
  std::array<char, 256> reason_ = {};
};

inline constexpr const char* truncated_data = "it is truncated: its data ends too early";

}  // namespace effnet::detail
