#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

namespace example {

/// Bytes that this program may still take: what the machine has available and, in a container, what
/// its limit leaves.
inline std::size_t available_memory() {
  std::size_t available = std::numeric_limits<std::size_t>::max();
  std::ifstream facts("/proc/meminfo");
  for (std::string name; facts >> name;) {
    std::size_t kilobytes = 0;
    if (name == "MemAvailable:" && facts >> kilobytes) available = kilobytes * 1024;
    std::getline(facts, name);
  }
  std::size_t limit = 0, used = 0;
  if (std::ifstream("/sys/fs/cgroup/memory.max") >> limit &&
      std::ifstream("/sys/fs/cgroup/memory.current") >> used)
    available = std::min(available, limit - std::min(limit, used));
  return available;
}

}  // namespace example
