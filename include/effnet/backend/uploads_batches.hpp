#pragma once

#include <concepts>
#include <memory_resource>

#include <effnet/backend/staged_batch.hpp>
#include <effnet/backend/training_backend.hpp>
#include <effnet/core/tensor_view.hpp>

namespace effnet {

/// A batch in a device's memory.
struct device_batch {
  const_tensor_view images;        ///< [n, size, size, 3], normalised
  const float* targets = nullptr;  ///< [n, classes]
};

/// A training backend that makes images of staged batches itself, one while the next is on its way.
///   make_uploads() -> batch_uploads
///   batch_uploads::host_memory()    where the bytes of batches should lie
///   uploads.begin(staged)       starts to upload a batch and returns; its bytes must stay until
///                               wait(). No more than one may be begun that `next` has not given.
///   uploads.wait()              until all that was begun is uploaded
///   uploads.next()              the batch that was begun, for the backend's later calls, until the
///                               following call
template <class B>
concept uploads_batches = training_backend<B> &&
    requires(const B be, typename B::batch_uploads uploads, const staged_batch& staged) {
  { be.make_uploads() } -> std::same_as<typename B::batch_uploads>;
  { B::batch_uploads::host_memory() } -> std::same_as<std::pmr::memory_resource*>;
  uploads.begin(staged);
  uploads.wait();
  { uploads.next() } -> std::same_as<device_batch>;
};

}  // namespace effnet
