#pragma once

#include <effnet/core/error.hpp>

namespace effnet {

/// Training that cannot go on: a loss or gradient is no number. Names the step and the layer.
struct training_error : error {
  using error::error;
};

}  // namespace effnet
