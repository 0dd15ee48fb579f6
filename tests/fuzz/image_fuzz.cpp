// Whatever the bytes, an image decodes to as many pixels as it says, or there is an image_error.

#include <cstdint>
#include <cstdlib>

#include <effnet/io/decode.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  const effnet::decode_options options{.max_pixels = 1 << 20};
  try {
    const effnet::image picture = effnet::decode_image(bytes, "fuzz", options);
    effnet::check_image(picture, "trust");
    if (std::int64_t{picture.width} * picture.height > options.max_pixels) std::abort();
  } catch (const effnet::image_error&) {
  }
  return 0;
}
