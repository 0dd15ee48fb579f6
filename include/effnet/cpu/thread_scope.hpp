#pragma once

#include <omp.h>

namespace effnet::cpu {

/// Sets the number of OpenMP threads of the calling thread, and puts the old one back. oneDNN plans
/// for the number it finds, so planning and running both happen inside such a scope.
class thread_scope {
 public:
  explicit thread_scope(int threads) : before_(omp_get_max_threads()) {
    if (threads != before_) omp_set_num_threads(threads);
  }
  ~thread_scope() { omp_set_num_threads(before_); }
  thread_scope(const thread_scope&) = delete;
  thread_scope& operator=(const thread_scope&) = delete;

 private:
  int before_;
};

}  // namespace effnet::cpu
