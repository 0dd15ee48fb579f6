#pragma once

#include <string>

#include <effnet/io/atomic_file.hpp>

namespace example {

/// Refuses a file that cannot be written before the work whose results it is for, not after it.
/// Leaves nothing behind. Throws `effnet::file_error`; an empty path is no file.
inline void require_writable(const std::string& path) {
  if (!path.empty()) effnet::atomic_file{path};
}

}  // namespace example
