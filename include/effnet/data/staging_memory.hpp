#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <mutex>
#include <span>
#include <vector>

#include <effnet/backend/staged_batch.hpp>
#include <effnet/core/rounded_up.hpp>

namespace effnet {

/// Room for the bytes of one batch after the other, in blocks that never move; any number of
/// threads may take some at once. What was once had from `from` is kept.
class staging_memory {
 public:
  static constexpr std::size_t alignment = 16;  ///< of every place

  /// Some of it: where the processor writes, and its place in the batch.
  struct room {
    std::byte* data = nullptr;
    std::uint64_t place = 0;
  };

  explicit staging_memory(std::pmr::memory_resource* from, std::size_t block_bytes = 8 << 20)
      : from_(from), block_bytes_(block_bytes) {}
  ~staging_memory() {
    for (const block& one : blocks_) from_->deallocate(one.data, one.capacity, page);
  }
  staging_memory(const staging_memory&) = delete;
  staging_memory& operator=(const staging_memory&) = delete;

  /// Throws what the memory's source throws.
  room take(std::size_t bytes) {
    bytes = rounded_up(bytes, alignment);
    const std::lock_guard lock(mutex_);
    while (filling_ < blocks_.size() && blocks_[filling_].capacity - blocks_[filling_].used < bytes)
      ++filling_;
    if (filling_ == blocks_.size()) add(std::max(bytes, block_bytes_));
    block& in = blocks_[filling_];
    const room given{in.data + in.used, in.begin + in.used};
    in.used += bytes;
    return given;
  }
  /// Copies items; returns their place.
  template <class T>
  std::uint64_t keep(std::span<const T> items) {
    const room to = take(items.size_bytes());
    if (!items.empty()) std::memcpy(to.data, items.data(), items.size_bytes());
    return to.place;
  }

  /// Everything was taken back.
  void clear() {
    for (block& one : blocks_) one.used = 0;
    filling_ = 0;
  }
  /// What was taken; `to` holds it until it changes.
  std::span<const staged_block> blocks(std::vector<staged_block>& to) const {
    to.clear();
    for (const block& one : blocks_)
      if (one.used > 0) to.push_back({one.begin, {one.data, one.used}});
    return to;
  }
  /// Bytes from the first place to the last.
  std::uint64_t extent() const {
    std::uint64_t end = 0;
    for (const block& one : blocks_)
      if (one.used > 0) end = one.begin + one.used;
    return end;
  }

 private:
  static constexpr std::size_t page = 4096;

  struct block {
    std::byte* data;
    std::size_t capacity, used;
    std::uint64_t begin;
  };

  void add(std::size_t bytes) {
    bytes = rounded_up(bytes, alignment);
    const std::uint64_t begin =
        blocks_.empty() ? 0 : blocks_.back().begin + blocks_.back().capacity;
    blocks_.reserve(blocks_.size() + 1);
    blocks_.push_back({static_cast<std::byte*>(from_->allocate(bytes, page)), bytes, 0, begin});
  }

  std::pmr::memory_resource* from_;
  std::size_t block_bytes_;
  std::mutex mutex_;
  std::vector<block> blocks_;
  std::size_t filling_ = 0;
};

}  // namespace effnet
