// Whatever the bytes, IDX files hold as many images as labels, all readable, or there is a
// file_error. The first byte is the length of the labels' file, which follows; the rest are images.

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include <effnet/data/idx.hpp>

#include "file_in_memory.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t labels_size = std::min<std::size_t>(data[0], size - 1);
  const file_in_memory labels(data + 1, labels_size);
  const file_in_memory images(data + 1 + labels_size, size - 1 - labels_size);
  try {
    const effnet::idx set(images.path(), labels.path());
    if (set.count() == 0 || set.count() > size) std::abort();
    for (std::size_t i = 0; i < set.count(); ++i) {
      const int label = set.label(i);
      if (label < 0 || static_cast<std::size_t>(label) >= set.classes().size()) std::abort();
      const effnet::image picture = set.image(i);
      effnet::check_image(picture, "trust");
      if (picture.pixels.size() / 3 > size) std::abort();
    }
  } catch (const effnet::file_error&) {
  }
  return 0;
}
