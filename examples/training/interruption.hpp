#pragma once

#include <csignal>

namespace example {

/// While it lives, SIGINT and SIGTERM ask the program to stop where it can; a second one ends it at
/// once, as either does without this.
class interruption {
 public:
  interruption() {
    struct sigaction how = {};
    how.sa_handler = [](int) { asked_ = 1; };
    how.sa_flags = static_cast<int>(SA_RESETHAND);  // the second meets the default
    sigemptyset(&how.sa_mask);
    ::sigaction(SIGINT, &how, &before_int_);
    ::sigaction(SIGTERM, &how, &before_term_);
  }
  ~interruption() {
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
  }
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;

  bool asked() const { return asked_ != 0; }

 private:
  static inline volatile std::sig_atomic_t asked_ = 0;
  struct sigaction before_int_ = {}, before_term_ = {};
};

}  // namespace example
