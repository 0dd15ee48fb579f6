#pragma once

#include <unistd.h>

#include <cstdlib>

namespace example {

/// Lets OpenMP's waiting threads spin for microseconds rather than milliseconds, unless the
/// environment already says how they wait. Alone on a machine that changes nothing; beside other
/// busy processes a spinning thread keeps from the processor the very thread that it waits for, and
/// a network that takes 5 ms was seen to take 500. libgomp reads this only while a program starts,
/// so the program starts once more.
inline void use_short_spins(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  if (::setenv("GOMP_SPINCOUNT", "10000", 0) == 0) ::execv("/proc/self/exe", argv);
}

}  // namespace example
