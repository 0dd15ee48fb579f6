#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <effnet/backend/uploads_batches.hpp>
#include <effnet/data/loader.hpp>
#include <effnet/train/device_array.hpp>

namespace effnet {

/// A loader's batches in the memory of the device that trains. A device that makes images itself
/// (`uploads_batches`) gets them as bytes, the next batch while it computes on the one before; what
/// comes out is the same.
template <data_set Set, batch_plan Plan, class Device>
class batch_feed {
 public:
  /// As a loader; `options.staged_in` is the device's matter.
  batch_feed(const Set& set, const loader_options& options, Plan plan, std::int64_t first_step,
             const Device& on)
      : on_(on),
        loader_(set, placed(options), std::move(plan), first_step),
        uploads_(uploads_on(on)) {}

  /// The next batch; it is valid until the following call. Throws as a loader does.
  device_batch next() {
    if constexpr (uploads_batches<Device>) {
      if (!is_begun_) begin();
      is_begun_ = false;
      const device_batch batch = uploads_.next();
      broken_ = broken_when_begun_;
      // One that is not made yet is not waited for: the device has work.
      if (loader_.is_ready()) begin();
      return batch;
    } else {
      const loaded_batch& batch = loader_.next();
      broken_ = loader_.broken();
      return {{uploads_.images.place(on_, batch.images), batch.shape},
              uploads_.targets.place(on_, batch.targets)};
    }
  }

  double waited_seconds() const { return loader_.waited_seconds(); }
  /// Pictures that could not be had, each counted once, in the batches given so far.
  std::size_t broken() const { return broken_; }
  /// What was wrong with the first of them.
  const std::vector<std::string>& warnings() const { return loader_.warnings(); }

 private:
  struct copies {
    staged_floats<Device> images, targets;
  };

  static auto uploads_on([[maybe_unused]] const Device& on) {
    if constexpr (uploads_batches<Device>)
      return on.make_uploads();
    else
      return copies{};
  }
  static loader_options placed(loader_options options) {
    options.staged_in = nullptr;
    if constexpr (uploads_batches<Device>) options.staged_in = Device::batch_uploads::host_memory();
    return options;
  }

  void begin() {
    uploads_.wait();  // the loader takes back the bytes of the batch before
    uploads_.begin(loader_.next().staged);
    broken_when_begun_ = loader_.broken();
    is_begun_ = true;
  }

  const Device& on_;
  loader<Set, Plan> loader_;
  decltype(uploads_on(std::declval<const Device&>())) uploads_;  ///< go before what they read
  bool is_begun_ = false;
  std::size_t broken_ = 0, broken_when_begun_ = 0;
};

}  // namespace effnet
