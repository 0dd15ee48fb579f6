#pragma once

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace effnet::detail {

/// Gives the calling thread less of a busy processor than others get, so that it prepares data
/// without slowing down who computes. Does nothing where threads have no priority of their own.
inline void lower_thread_priority() {
#if defined(__linux__)
  // Linux takes a thread for a process here.
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  constexpr int somewhat_nicer = 5;
  static_cast<void>(::setpriority(PRIO_PROCESS, thread, somewhat_nicer));
#endif
}

}  // namespace effnet::detail
