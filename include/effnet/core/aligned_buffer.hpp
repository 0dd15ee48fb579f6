#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace effnet {

/// Owned memory, aligned for the widest vectors and a cache line. Not initialised; empty once moved
/// from.
class aligned_buffer {
 public:
  static constexpr std::size_t alignment = 64;

  aligned_buffer() = default;
  explicit aligned_buffer(std::size_t bytes)
      : data_(bytes == 0
                  ? nullptr
                  : static_cast<std::byte*>(::operator new (bytes, std::align_val_t{alignment}))),
        bytes_(bytes) {}
  aligned_buffer(aligned_buffer&& from) noexcept
      : data_(std::move(from.data_)), bytes_(std::exchange(from.bytes_, 0)) {}
  aligned_buffer& operator=(aligned_buffer&& from) noexcept {
    data_ = std::move(from.data_);
    bytes_ = std::exchange(from.bytes_, 0);
    return *this;
  }

  std::byte* data() const { return data_.get(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct release {
    void operator()(std::byte* p) const { ::operator delete (p, std::align_val_t{alignment}); }
  };
  std::unique_ptr<std::byte, release> data_;
  std::size_t bytes_ = 0;
};

}  // namespace effnet
