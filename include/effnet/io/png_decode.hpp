#pragma once

#include <png.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include <effnet/io/decode_options.hpp>
#include <effnet/io/exif.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/image_trap.hpp>

namespace effnet::detail {

/// libpng's reader over bytes in memory, set up to give RGB of 8 bit:
/// - palettes and gray are expanded;
/// - alpha and transparent colours are dropped, not composited, as Pillow's `convert("RGB")` does;
/// - 16 bit keep their upper byte. So does Pillow, but for 16-bit gray, which it clips at 255 when
///   converted and so turns almost wholly white; here gray is treated as the colours are;
/// - gamma and colour profiles are ignored, as Pillow does.
class png_reader {
 public:
  explicit png_reader(std::span<const std::byte> file) : rest_(file) {}
  ~png_reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  png_reader(const png_reader&) = delete;
  png_reader& operator=(const png_reader&) = delete;

  bool read_header() {
    return trap_.run([this] {
      png_ = png_create_read_struct(
          PNG_LIBPNG_VER_STRING, &trap_,
          [](png_structp png, png_const_charp message) {
            static_cast<image_trap*>(png_get_error_ptr(png))->spring(message);
          },
          [](png_structp, png_const_charp) {});
      if (png_ == nullptr) trap_.spring("libpng cannot be started");
      info_ = png_create_info_struct(png_);
      if (info_ == nullptr) trap_.spring("libpng cannot be started");
      png_set_read_fn(png_, this, [](png_structp png, png_bytep to, png_size_t count) {
        static_cast<png_reader*>(png_get_io_ptr(png))->give(to, count);
      });
      png_set_user_limits(png_, 0x7fffffffu, 0x7fffffffu);  // the caller checks the product
      // Profiles and texts may be huge or broken and are of no use here.
      constexpr png_byte unused[] = "iCCP\0sPLT\0tEXt\0zTXt\0iTXt";
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, unused, 5);
      png_read_info(png_, info_);
    });
  }

  /// Deflate never gains more than 1032 to 1: a file smaller than that lies about its size.
  bool is_shorter_than_its_rows(std::size_t file_bytes) const {
    const std::uint64_t bits = static_cast<std::uint64_t>(width()) *
                               png_get_bit_depth(png_, info_) * png_get_channels(png_, info_);
    return static_cast<std::uint64_t>(height()) * (bits / 8) > 1032 * std::uint64_t{file_bytes};
  }

  /// Fills `picture`, which has its final size.
  bool read_rows(image& picture) {
    return trap_.run([&, this] {
      png_set_palette_to_rgb(png_);
      png_set_expand_gray_1_2_4_to_8(png_);
      png_set_strip_16(png_);
      png_set_strip_alpha(png_);
      png_set_gray_to_rgb(png_);
      const int passes = png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
      if (png_get_rowbytes(png_, info_) != picture.row_bytes())
        trap_.spring("its rows have an unexpected length");
      for (int pass = 0; pass < passes; ++pass)
        for (int y = 0; y < picture.height; ++y) png_read_row(png_, picture.row(y), nullptr);
      png_read_end(png_, info_);
    });
  }

  int orientation() {
    int found = 0;
#if defined(PNG_eXIf_SUPPORTED)
    trap_.run([&, this] {
      png_uint_32 count = 0;
      png_bytep exif = nullptr;
      if (png_get_eXIf_1(png_, info_, &count, &exif) != 0 && exif != nullptr)
        found = orientation_from_exif(std::as_bytes(std::span(exif, count)));
    });
#endif
    return found;
  }

  std::int64_t width() const {
    return png_get_image_width(png_, info_);
  }
  std::int64_t height() const {
    return png_get_image_height(png_, info_);
  }
  const char* reason() const {
    return trap_.reason();
  }

 private:
  void give(png_bytep to, std::size_t count) {
    if (count > rest_.size()) trap_.spring(truncated_data);
    std::memcpy(to, rest_.data(), count);
    rest_ = rest_.subspan(count);
  }

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::span<const std::byte> rest_;
  image_trap trap_;
};

inline image decode_png(std::span<const std::byte> file, std::string_view name,
                        const decode_options& options) {
  png_reader reader(file);
  if (!reader.read_header()) throw_undecodable(name, "PNG", reader.reason());
  check_pixel_count(reader.width(), reader.height(), options, name);
  if (reader.is_shorter_than_its_rows(file.size())) throw_undecodable(name, "PNG", truncated_data);
  image picture = make_image(static_cast<int>(reader.width()), static_cast<int>(reader.height()));
  if (!reader.read_rows(picture)) throw_undecodable(name, "PNG", reader.reason());
  return options.apply_exif ? upright(std::move(picture), reader.orientation()) : picture;
}

}  // namespace effnet::detail
