#pragma once

#include <effnet/core/error.hpp>

namespace effnet {

/// Training settings that contradict each other or make no sense.
struct setting_error : error {
  using error::error;
};

}  // namespace effnet
