#pragma once

#include <concepts>
#include <cstdint>

#include <effnet/core/tensor_view.hpp>

namespace effnet {

/// Estimates the running statistics of a network anew, as the average over all images that
/// `next()` gives, batch by batch; it returns a pointer to a `const_tensor_view`, null at the end.
/// For weights that were averaged, frozen or trained in small batches, whose own statistics lag
/// behind. Returns the number of images; without any the statistics stay as they are.
template <class Network, class Next>
std::int64_t estimate_batch_norm(Network& network, Next&& next) {
  std::int64_t images = 0;
  for (const const_tensor_view* batch = next(); batch != nullptr; batch = next()) {
    images += batch->shape.n;
    // The k-th of equal batches moves the average by 1 / k.
    network.estimate_statistics(*batch, static_cast<float>(static_cast<double>(batch->shape.n) /
                                                           static_cast<double>(images)));
  }
  return images;
}

}  // namespace effnet
