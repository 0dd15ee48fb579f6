#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include <effnet/arch/convention.hpp>
#include <effnet/backend/staged_batch.hpp>
#include <effnet/core/shape.hpp>
#include <effnet/data/sample_look.hpp>

namespace effnet {

/// What a training step is fed with. Samples are counted over all epochs: sample c is number
/// c % N in the order of epoch c / N, for a set of N.
struct batch_request {
  std::int64_t step = 0;  ///< the randomness of mixup and cutmix
  std::int64_t first_sample = 0;
  int count = 0;
  sample_look look;
};

/// A batch as networks take it, or, where the options ask for it, as a device makes one of it.
struct loaded_batch {
  shape4 shape;                        ///< [count, size, size, 3]
  std::vector<float> images, targets;  ///< normalised, NHWC; [count, classes]
  staged_batch staged;                 ///< in the place of `images`, with the targets
  batch_request request;
};

/// What the targets of a sample with several classes are.
enum class label_targets : std::uint8_t {
  shares,     ///< 1 / k for each of its k classes, for softmax (as ImageNet-21k was trained)
  multi_hot,  ///< 1 for each, for sigmoids
};

struct loader_options {
  int threads = 1;
  int prefetch = 3;             ///< batches made ahead of the one in use
  std::size_t cache_bytes = 0;  ///< memory for decoded pictures; 0: none is kept
  std::uint64_t seed = 0;
  input_rule input = {};  ///< its mean and deviation
  label_targets targets = label_targets::shares;
  /// Where the bytes of staged batches go; null: images are made here.
  std::pmr::memory_resource* staged_in = nullptr;
};

}  // namespace effnet
