#pragma once

#include <png.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/image_trap.hpp>

namespace effnet {

namespace detail {

/// libpng's writer into a vector.
class png_writer {
 public:
  explicit png_writer(std::vector<std::byte>& target) : target_(target) {}
  ~png_writer() { png_destroy_write_struct(&png_, &info_); }
  png_writer(const png_writer&) = delete;
  png_writer& operator=(const png_writer&) = delete;

  bool write(const image& picture) {
    return trap_.run([&, this] {
      png_ = png_create_write_struct(
          PNG_LIBPNG_VER_STRING, &trap_,
          [](png_structp png, png_const_charp message) {
            static_cast<image_trap*>(png_get_error_ptr(png))->spring(message);
          },
          [](png_structp, png_const_charp) {});
      if (png_ == nullptr) trap_.spring("libpng cannot be started");
      info_ = png_create_info_struct(png_);
      if (info_ == nullptr) trap_.spring("libpng cannot be started");
      png_set_write_fn(
          png_, this,
          [](png_structp png, png_bytep from, png_size_t count) {
            static_cast<png_writer*>(png_get_io_ptr(png))->take(from, count);
          },
          [](png_structp) {});
      png_set_user_limits(png_, 0x7fffffffu, 0x7fffffffu);
      png_set_IHDR(png_, info_, static_cast<png_uint_32>(picture.width),
                   static_cast<png_uint_32>(picture.height), 8, PNG_COLOR_TYPE_RGB,
                   PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
      png_write_info(png_, info_);
      for (int y = 0; y < picture.height; ++y) png_write_row(png_, picture.row(y));
      png_write_end(png_, nullptr);
    });
  }

  const char* reason() const { return trap_.reason(); }

 private:
  void take(png_const_bytep from, std::size_t count) {
    bool taken = true;
    try {
      const std::byte* bytes = reinterpret_cast<const std::byte*>(from);
      target_.insert(target_.end(), bytes, bytes + count);
    } catch (...) {  // must not pass through C frames
      taken = false;
    }
    if (!taken) trap_.spring("memory ran out");
  }

  std::vector<std::byte>& target_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  image_trap trap_;
};

}  // namespace detail

/// An RGB PNG of 8 bit. Throws `shape_error` for an image without pixels.
inline std::vector<std::byte> encode_png(const image& picture) {
  check_image(picture, "encode");
  std::vector<std::byte> file;
  detail::png_writer writer(file);
  if (!writer.write(picture))
    throw image_error(sentence("cannot encode an image of ", picture.width, " x ", picture.height,
                               " pixels as PNG: ", writer.reason()));
  return file;
}

}  // namespace effnet
