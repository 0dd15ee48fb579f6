// Whatever the bytes, an image decodes to as many pixels as it says, or there is an image_error.

#include <cstdint>
#include <cstdlib>

#include <effnet/io/decode.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  // Some of the inputs reduced: the last byte decides.
  const int reduction = size == 0 ? 1 : 1 << (data[size - 1] & 3);
  const effnet::decode_options options{.max_pixels = 1 << 20, .reduction = reduction};
  try {
    const auto full = effnet::reducible_size(bytes, "fuzz", options);
    const effnet::image picture = effnet::decode_image(bytes, "fuzz", options);
    effnet::check_image(picture, "trust");
    const auto reduced = [&](int side) { return (side + reduction - 1) / reduction; };
    if (full && (picture.width != reduced(full->width) || picture.height != reduced(full->height)))
      std::abort();
    if (std::int64_t{picture.width} * picture.height > options.max_pixels) std::abort();
  } catch (const effnet::image_error&) {
  }
  return 0;
}
