// Whatever the bytes, a tar's entries lie within them and come to an end, or there is a file_error.

#include <cstdint>
#include <cstdlib>

#include <effnet/data/tar_reader.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    effnet::tar_reader reader({nullptr, bytes}, "fuzz");
    while (const auto entry = reader.next()) {
      if (entry->name.empty() || entry->name.front() == '/') std::abort();
      if (entry->bytes.size() > size) std::abort();
    }
  } catch (const effnet::file_error&) {
  }
  return 0;
}
