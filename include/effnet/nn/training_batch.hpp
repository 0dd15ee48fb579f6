#pragma once

#include <cstdint>

#include <effnet/backend/training_backend.hpp>

namespace effnet {

/// What one forward and backward pass is about; its numbers are in the backend's memory.
struct training_batch {
  const_tensor_view images;        ///< [n, h, w, c], normalised
  const float* targets = nullptr;  ///< [n, classes]; rows sum to 1 for `softmax`
  loss_kind loss = loss_kind::softmax;
  float smoothing = 0;
  const float* class_weights = nullptr;  ///< [classes], or null
  float dropout = 0;                     ///< probability of dropping a feature
  float stochastic_depth = 0;            ///< probability of dropping the last block
  std::uint64_t seed = 0, step = 0;      ///< what dropout and stochastic depth are drawn from
  int first_image = 0;  ///< place of the first image in the step's batch, where that is in parts
};

}  // namespace effnet
