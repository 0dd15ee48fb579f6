#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <effnet/core/error.hpp>

namespace effnet {

/// How image files are read.
struct decode_options {
  bool apply_exif = true;  ///< turn the picture as its EXIF (else XMP) orientation says
  std::int64_t max_pixels = 178'956'970;  ///< more are refused before anything is allocated
  /// 1, 2, 4 or 8: a JPEG is decoded to that fraction of its sides, rounded up, which costs less; a
  /// PNG is decoded as it is.
  int reduction = 1;
};

/// The sides of a picture that has not been decoded yet.
struct image_size {
  int width = 0, height = 0;

  friend bool operator==(const image_size&, const image_size&) = default;
};

namespace detail {

/// Refuses sides beyond the limit: a header of a few bytes can claim any size.
inline void check_pixel_count(std::int64_t width, std::int64_t height,
                              const decode_options& options, std::string_view name) {
  if (width < 1 || height < 1)
    throw image_error(
        sentence("cannot decode ", name, ": its header says ", width, " x ", height, " pixels"));
  if (width > options.max_pixels / height)
    throw image_error(
        sentence("cannot decode ", name, ": its header says ", width, " x ", height,
                 " pixels, more than the ", options.max_pixels,
                 " allowed; raise max_pixels (--max-pixels) if it is meant to be that large"));
}

inline void check_reduction(const decode_options& options, std::string_view name) {
  const int by = options.reduction;
  if (by != 1 && by != 2 && by != 4 && by != 8)
    throw image_error(
        sentence("cannot decode ", name, " at 1/", by, " of its size; 1, 2, 4 and 8 are possible"));
}

[[noreturn]] inline void throw_undecodable(std::string_view name, std::string_view format,
                                           std::string_view reason) {
  throw image_error(sentence("cannot decode ", name, " as ", format, ": ", reason));
}

}  // namespace detail
}  // namespace effnet
