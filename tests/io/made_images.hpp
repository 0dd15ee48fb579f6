#pragma once

// jpeglib.h needs FILE before it:
// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on

#include <png.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/core/rng.hpp>
#include <effnet/io/image.hpp>

/// Image files of every kind, made with libjpeg and libpng themselves. A failing encoder ends the
/// program: these are inputs of tests, not their subject.
namespace effnet::testing {

using file_data = std::vector<std::byte>;

/// A picture with edges, gradients and noise, so that no row or channel is like another.
inline image sample_image(int width, int height, std::uint64_t seed = 7) {
  image made = make_image(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        const int noise = static_cast<int>(mix64(seed + static_cast<std::uint64_t>(x * 3 + c) +
                                                 static_cast<std::uint64_t>(y) * 4096) &
                                           31);
        const int value = x * 5 + y * 3 * (c + 1) + (x / 8 + y / 8) % 2 * 60 + noise;
        made.row(y)[x * 3 + c] = static_cast<std::uint8_t>(value & 255);
      }
  return made;
}

struct jpeg_kind {
  J_COLOR_SPACE pixels = JCS_RGB;    ///< what `samples` are
  J_COLOR_SPACE stored = JCS_YCbCr;  ///< what the file holds
  int components = 3;
  int quality = 100;
  bool progressive = false;
  bool arithmetic = false;
  int restart_rows = 0;
  std::string app1 = "";  ///< content of an APP1 marker: EXIF or XMP
};

/// `samples` has `width * height * kind.components` values.
inline file_data made_jpeg(int width, int height, std::span<const std::uint8_t> samples,
                           const jpeg_kind& kind = {}) {
  jpeg_compress_struct state;
  jpeg_error_mgr errors;
  state.err = jpeg_std_error(&errors);
  jpeg_create_compress(&state);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&state, &data, &size);
  state.image_width = static_cast<JDIMENSION>(width);
  state.image_height = static_cast<JDIMENSION>(height);
  state.input_components = kind.components;
  state.in_color_space = kind.pixels;
  jpeg_set_defaults(&state);
  jpeg_set_colorspace(&state, kind.stored);
  jpeg_set_quality(&state, kind.quality, TRUE);
  state.restart_in_rows = kind.restart_rows;
  state.arith_code = kind.arithmetic ? TRUE : FALSE;
  if (kind.progressive) jpeg_simple_progression(&state);
  jpeg_start_compress(&state, TRUE);
  if (!kind.app1.empty())
    jpeg_write_marker(&state, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(kind.app1.data()),
                      static_cast<unsigned>(kind.app1.size()));
  const std::size_t stride =
      static_cast<std::size_t>(width) * static_cast<std::size_t>(kind.components);
  for (int y = 0; y < height; ++y) {
    JSAMPROW row = const_cast<JSAMPROW>(samples.data() + static_cast<std::size_t>(y) * stride);
    jpeg_write_scanlines(&state, &row, 1);
  }
  jpeg_finish_compress(&state);
  jpeg_destroy_compress(&state);
  const std::byte* begin = reinterpret_cast<const std::byte*>(data);
  file_data file(begin, begin + size);
  std::free(data);
  return file;
}

inline file_data made_jpeg(const image& picture, const jpeg_kind& kind = {}) {
  return made_jpeg(picture.width, picture.height, picture.pixels, kind);
}

struct png_kind {
  int color_type = PNG_COLOR_TYPE_RGB;
  int bit_depth = 8;
  bool interlaced = false;
  std::vector<png_color> palette = {};
  std::vector<png_byte> palette_alpha = {};
  bool transparent_color = false;  ///< a tRNS chunk that makes black transparent
  double gamma = 0;                ///< 0: no gAMA chunk
  std::string exif = "";
};

/// `rows` has the packed bytes of every row, 16-bit samples big endian.
inline file_data made_png(int width, int height, std::span<const std::uint8_t> rows,
                          const png_kind& kind = {}) {
  file_data file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &file,
      [](png_structp state, png_bytep data, png_size_t count) {
        const std::byte* begin = reinterpret_cast<const std::byte*>(data);
        file_data& target = *static_cast<file_data*>(png_get_io_ptr(state));
        target.insert(target.end(), begin, begin + count);
      },
      [](png_structp) {});
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height),
               kind.bit_depth, kind.color_type,
               kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!kind.palette.empty())
    png_set_PLTE(png, info, kind.palette.data(), static_cast<int>(kind.palette.size()));
  png_color_16 black = {};
  if (!kind.palette_alpha.empty())
    png_set_tRNS(png, info, kind.palette_alpha.data(), static_cast<int>(kind.palette_alpha.size()),
                 nullptr);
  else if (kind.transparent_color)
    png_set_tRNS(png, info, nullptr, 0, &black);
  if (kind.gamma > 0) png_set_gAMA(png, info, kind.gamma);
  if (!kind.exif.empty())
    png_set_eXIf_1(png, info, static_cast<png_uint_32>(kind.exif.size()),
                   reinterpret_cast<png_bytep>(const_cast<char*>(kind.exif.data())));
  png_write_info(png, info);
  const std::size_t stride = png_get_rowbytes(png, info);
  const int passes = png_set_interlace_handling(png);
  for (int pass = 0; pass < passes; ++pass)
    for (int y = 0; y < height; ++y)
      png_write_row(png, rows.data() + static_cast<std::size_t>(y) * stride);
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

/// A TIFF structure with one entry: the orientation as a 16-bit number.
inline std::string exif_with_orientation(int orientation, bool big_endian) {
  const char value = static_cast<char>(orientation);
  if (big_endian)
    return std::string("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 19) + value +
           std::string(6, '\0');
  return std::string("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18) + value +
         std::string(7, '\0');
}

/// Where the marker `0xFF code` first stands.
inline std::size_t marker_position(const file_data& jpeg, int code) {
  for (std::size_t i = 0; i + 1 < jpeg.size(); ++i)
    if (jpeg[i] == std::byte{0xff} && jpeg[i + 1] == static_cast<std::byte>(code)) return i;
  std::abort();
}

inline void put_big_endian(file_data& file, std::size_t at, std::uint32_t value,
                           std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    file[at + i] = static_cast<std::byte>(value >> 8 * (count - 1 - i));
}

/// The JPEG with other sides in its header.
inline file_data with_jpeg_sides(file_data file, int width, int height, int frame_marker = 0xc0) {
  const std::size_t at = marker_position(file, frame_marker);
  put_big_endian(file, at + 5, static_cast<std::uint32_t>(height), 2);
  put_big_endian(file, at + 7, static_cast<std::uint32_t>(width), 2);
  return file;
}

/// The PNG with other sides in its header, whose check sum is right.
inline file_data with_png_sides(file_data file, std::uint32_t width, std::uint32_t height) {
  put_big_endian(file, 16, width, 4);
  put_big_endian(file, 20, height, 4);
  std::uint32_t crc = 0xffffffffu;
  for (std::size_t i = 12; i < 29; ++i) {
    crc ^= std::to_integer<std::uint32_t>(file[i]);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  put_big_endian(file, 29, ~crc, 4);
  return file;
}

}  // namespace effnet::testing
