#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include <effnet/core/huge_pages.hpp>

namespace effnet {

/// Owned memory, aligned for the widest vectors and a cache line, in huge pages where it is large.
/// Not initialised; empty once moved from.
class aligned_buffer {
 public:
  static constexpr std::size_t alignment = 64;

  aligned_buffer() = default;
  explicit aligned_buffer(std::size_t bytes) : bytes_(bytes) {
    if (bytes == 0) return;
    const std::align_val_t align{bytes < huge_page ? alignment : huge_page};
    data_ = {static_cast<std::byte*>(::operator new(bytes, align)), release{align}};
    if (bytes >= huge_page) prefer_huge_pages(data_.get(), bytes);
  }
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
    std::align_val_t align;  // that it was allocated with
    void operator()(std::byte* p) const { ::operator delete(p, align); }
  };
  std::unique_ptr<std::byte, release> data_;
  std::size_t bytes_ = 0;
};

}  // namespace effnet
