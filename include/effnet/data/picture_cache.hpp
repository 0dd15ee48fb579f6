#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <effnet/io/decode_options.hpp>
#include <effnet/io/image.hpp>

namespace effnet {

/// Decoded pictures by sample and reduction, up to a budget in bytes. Any number of threads may use
/// it at once.
///
/// What is in stays in, and what does not fit is not kept: samples come in a new random order every
/// epoch, where any fixed choice is hit as often as possible and "least recently used" much less.
/// Only what was not asked for during two epochs makes room (after a change of the image size other
/// reductions are in use).
class picture_cache {
 public:
  /// `samples`: how many the set has. A budget of 0 keeps nothing.
  picture_cache(std::size_t budget, std::size_t samples)
      : budget_(budget),
        stale_after_(2 * std::uint64_t{samples}),
        sizes_(budget > 0 ? samples : 0) {}

  /// The full size of a reducible picture, if it was remembered.
  std::optional<image_size> size_of(std::size_t sample) const {
    const std::uint64_t packed =
        sizes_.empty() ? 0 : sizes_[sample].load(std::memory_order_relaxed);
    if (packed == 0) return std::nullopt;
    return image_size{static_cast<int>(packed >> 32), static_cast<int>(packed & 0xFFFFFFFFu)};
  }
  void remember(std::size_t sample, const image_size& size) {
    if (sizes_.empty()) return;
    sizes_[sample].store(
        static_cast<std::uint64_t>(size.width) << 32 | static_cast<std::uint64_t>(size.height),
        std::memory_order_relaxed);
  }

  /// Null where it is not there.
  std::shared_ptr<const image> find(std::size_t sample, int reduction) {
    if (budget_ == 0) return nullptr;
    const std::lock_guard lock(mutex_);
    ++clock_;
    const auto found = pictures_.find(key_of(sample, reduction));
    if (found == pictures_.end()) return nullptr;
    ++hits_;
    found->second.last_use = clock_;
    return found->second.picture;
  }

  /// Keeps the picture, if there is room; gives it back in any case.
  std::shared_ptr<const image> keep(std::size_t sample, int reduction, image picture) {
    auto shared = std::make_shared<const image>(std::move(picture));
    if (budget_ == 0) return shared;
    const std::size_t size = bytes_of(*shared);
    const std::lock_guard lock(mutex_);
    drop_stale(size);
    if (size > budget_ - used_) return shared;
    const std::uint64_t key = key_of(sample, reduction);
    // Two threads may have decoded the same one: the first stays.
    const auto [at, is_new] = pictures_.try_emplace(key, kept{shared, clock_});
    if (!is_new) return at->second.picture;
    keys_.push_back(key);
    used_ += size;
    return shared;
  }

  /// Bytes in use.
  std::size_t used() const {
    const std::lock_guard lock(mutex_);
    return used_;
  }
  /// How often `find` has found something.
  std::uint64_t hits() const {
    const std::lock_guard lock(mutex_);
    return hits_;
  }

 private:
  struct kept {
    std::shared_ptr<const image> picture;
    std::uint64_t last_use;
  };

  static std::uint64_t key_of(std::size_t sample, int reduction) {
    return std::uint64_t{sample} << 4 | static_cast<std::uint64_t>(reduction);
  }
  /// The pixels and what it costs to keep them.
  static std::size_t bytes_of(const image& picture) { return picture.pixels.capacity() + 160; }

  /// Looks at the next few pictures in turn, so that a full cache costs little.
  void drop_stale(std::size_t needed) {
    constexpr int looked_at = 8;
    for (int i = 0; i < looked_at && !keys_.empty() && needed > budget_ - used_; ++i) {
      hand_ = hand_ >= keys_.size() ? 0 : hand_;
      const auto found = pictures_.find(keys_[hand_]);
      if (clock_ - found->second.last_use <= stale_after_) {
        ++hand_;
        continue;
      }
      used_ -= bytes_of(*found->second.picture);
      pictures_.erase(found);
      keys_[hand_] = keys_.back();
      keys_.pop_back();
    }
  }

  std::size_t budget_;
  std::uint64_t stale_after_;
  std::vector<std::atomic<std::uint64_t>> sizes_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, kept> pictures_;
  std::vector<std::uint64_t> keys_;  ///< of all pictures, in any order
  std::size_t hand_ = 0, used_ = 0;
  std::uint64_t clock_ = 0, hits_ = 0;
};

}  // namespace effnet
