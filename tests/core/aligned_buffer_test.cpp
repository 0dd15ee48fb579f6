#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>

#include <effnet/core/aligned_buffer.hpp>

using namespace effnet;

namespace {
bool aligned(const aligned_buffer& buffer, std::size_t to) {
  return reinterpret_cast<std::uintptr_t>(buffer.data()) % to == 0;
}
}  // namespace

TEST_CASE("core: buffers begin at a cache line, large ones at a huge page") {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{65}, huge_page - 1, huge_page, 3 * huge_page + 5}) {
    CAPTURE(bytes);
    aligned_buffer buffer(bytes);
    CHECK(buffer.bytes() == bytes);
    CHECK(aligned(buffer, bytes < huge_page ? aligned_buffer::alignment : huge_page));
    std::memset(buffer.data(), 7, bytes);
    const std::byte* data = buffer.data();
    aligned_buffer taken = std::move(buffer);
    CHECK(taken.data() == data);
    CHECK(taken.bytes() == bytes);
    buffer = aligned_buffer(10);
    taken = std::move(buffer);  // one that was allocated differently
    CHECK(taken.bytes() == 10);
    CHECK(aligned(taken, aligned_buffer::alignment));
  }
  CHECK(aligned_buffer().data() == nullptr);
  CHECK(aligned_buffer(0).data() == nullptr);
}
