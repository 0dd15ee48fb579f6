// Whatever the bytes, a CIFAR file is whole records with labels of known classes, or there is a
// file_error. The first byte chooses the layout, the rest is the file.

#include <cstdint>
#include <cstdlib>
#include <string>

#include <effnet/data/cifar.hpp>

#include "file_in_memory.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr effnet::cifar::layout layouts[] = {{1, 0, 10}, {2, 1, 100}, {2, 0, 20}};
  const effnet::cifar::layout& form = layouts[data[0] % 3];
  const file_in_memory file(data + 1, size - 1);
  const std::string paths[] = {file.path(), file.path()};
  try {
    const effnet::cifar set(paths, form, effnet::detail::numbered_classes(form.class_count));
    if (set.count() != 2 * ((size - 1) / (form.label_bytes + 3072))) std::abort();
    for (std::size_t i = 0; i < set.count(); ++i) {
      if (set.label(i) < 0 || set.label(i) >= static_cast<int>(form.class_count)) std::abort();
      effnet::check_image(set.image(i), "trust");
      if (set.name(i).empty()) std::abort();
    }
  } catch (const effnet::file_error&) {
  }
  return 0;
}
