#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/core/shape.hpp>
#include <effnet/nn/memory_plan.hpp>
#include <effnet/train/setting_error.hpp>

namespace effnet {

/// The largest batch of square images of `size` pixels whose training step stays within `bytes`, at
/// most `most`. `plan_of(shape4)` gives a step's `memory_plan`; `beside` is what the run holds
/// besides (optimizer, averages, batches). A plan takes a second or so, hence few are made: memory
/// is very nearly a straight line in the batch. Throws `setting_error` where not even one image
/// fits, with what it takes.
template <class PlanOf>
int largest_batch(int size, int channels, std::size_t bytes, std::size_t beside, int most,
                  PlanOf&& plan_of) {
  const auto needed = [&](int batch) {
    return plan_of(shape4{batch, size, size, channels}).total() + beside;
  };
  const std::size_t one = needed(1);
  if (one > bytes)
    throw setting_error(sentence("training on images of ", size, " pixels takes ", (one >> 20) + 1,
                                 " MiB for a batch of one, but ", bytes >> 20,
                                 " MiB are allowed; allow more memory (--memory), or choose a "
                                 "smaller image size or network"));
  if (most <= 1) return 1;
  const std::size_t two = needed(2);
  const std::size_t each = std::max<std::size_t>(two > one ? two - one : 0, 1);
  int batch = static_cast<int>(
      std::min<std::size_t>(static_cast<std::size_t>(most), 1 + (bytes - one) / each));
  while (batch > 1 && needed(batch) > bytes) batch -= std::max(1, batch / 16);
  return std::max(batch, 1);
}

}  // namespace effnet
