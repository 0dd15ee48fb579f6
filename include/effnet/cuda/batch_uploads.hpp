#pragma once

#include <array>
#include <cstddef>
#include <memory_resource>

#include <effnet/backend/uploads_batches.hpp>
#include <effnet/cuda/for_each_in_images.hpp>
#include <effnet/cuda/image_functions.hpp>
#include <effnet/cuda/resample_pictures.hpp>
#include <effnet/cuda/upload_lane.hpp>

namespace effnet::cuda {

/// Staged batches on a device (`uploads_batches`): their bytes have two places there, so that one
/// batch is uploaded while another one is trained on. Images and targets have one place, whose
/// address stays until a larger batch comes.
template <uploading_device D>
class batch_uploads {
 public:
  explicit batch_uploads(const D& on) : on_(on), lane_(on) {}

  static std::pmr::memory_resource* host_memory() { return D::upload_lane::host_memory(); }

  /// Starts to upload a batch. Throws `error` while another one waits for `next`: it has no place.
  void begin(const staged_batch& staged) {
    if (waits_)
      throw error(
          "a batch cannot be uploaded while the one before it was not taken: there is no "
          "place for it");
    const std::size_t to = 1 - current_;
    resize(staged_[to], staged.bytes);
    // The batch before the current one was there, and calls that read it may not have run yet.
    lane_.after(on_);
    for (const staged_block& block : staged.blocks)
      lane_.upload(block.bytes.data(), staged_[to].data() + block.begin, block.bytes.size());
    next_ = staged;
    next_.blocks = {};
    waits_ = true;
  }
  /// Until the bytes of the batch that was begun last may change.
  void wait() { lane_.wait(); }

  /// Images and targets of the batch that was begun. Throws `error` where none was.
  device_batch next() {
    if (!waits_) throw error("there is no batch: none was uploaded since the last was taken");
    waits_ = false;
    current_ = 1 - current_;
    lane_.before(on_);
    const std::size_t elements = next_.shape.elements();
    const std::size_t targets = static_cast<std::size_t>(next_.shape.n) *
                                static_cast<std::size_t>(next_.classes) * sizeof(float);
    resize(images_, elements * sizeof(float));
    resize(targets_, targets);
    const byte_span staged(staged_[current_].data(), next_.bytes);
    auto* images = reinterpret_cast<float*>(images_.data());
    const auto count = static_cast<unsigned>(next_.shape.n);
    const std::size_t of_image = elements / count;
    const std::size_t made_bytes = next_.is_resampled ? elements : 0;
    const typename D::temporary between(on_, next_.between), made(on_, made_bytes);
    const byte_span to_between(between.data(), next_.between), to_made(made.data(), made_bytes);
    const auto resample = [&](bool is_second, std::size_t pixels) {
      if (pixels > 0)
        on_.run(for_each_in_images<resample_pictures>{
            count, pixels, {is_second, next_.shape.w, next_.samples, staged, to_between, to_made}});
    };
    if (next_.is_resampled) {
      resample(false, next_.most_between);
      resample(true, of_image / 3);
    }
    on_.run(for_each_in_images<fill_images>{
        count,
        of_image,
        {next_.shape.w, next_.samples, next_.levels, staged, to_made, {images, elements}}});
    on_.copy(reinterpret_cast<const float*>(staged_[current_].data() + next_.targets),
             reinterpret_cast<float*>(targets_.data()), targets);
    return {{images, next_.shape}, reinterpret_cast<const float*>(targets_.data())};
  }

 private:
  using buffer = typename D::buffer;

  void resize(buffer& memory, std::size_t bytes) {
    if (memory.bytes() >= bytes) return;
    on_.wait();         // for calls that use the old one,
    memory = buffer();  // which goes first: both at once would be the peak
    memory = buffer(bytes);
  }

  D on_;
  std::array<buffer, 2> staged_;
  buffer images_, targets_;
  std::size_t current_ = 0;  ///< where the bytes of the batch in use are
  staged_batch next_;
  bool waits_ = false;
  typename D::upload_lane lane_;  ///< goes first, and with it what is on its way
};

}  // namespace effnet::cuda
