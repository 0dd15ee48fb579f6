#pragma once

// jpeglib.h needs FILE, jerror.h needs jpeglib.h before it:
// clang-format off
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/io/decode_options.hpp>
#include <effnet/io/exif.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/image_trap.hpp>

namespace effnet::detail {

/// libjpeg's decompressor over bytes in memory. Which warnings are errors: those that mean that
/// pixels are missing or made up (data ends early, bad codes, a lost restart marker). Harmless
/// ones, as many cameras' and editors' files carry them (extra bytes before a marker, unknown Adobe
/// or JFIF revisions, an odd progression), pass.
class jpeg_reader {
 public:
  explicit jpeg_reader(std::span<const std::byte> file) {
    state_.err = jpeg_std_error(&errors_);
    state_.client_data = this;
    errors_.error_exit = [](j_common_ptr state) { of(state).fail(state); };
    errors_.emit_message = [](j_common_ptr state, int level) {
      if (level < 0 && loses_pixels(state->err->msg_code)) of(state).fail(state);
    };
    errors_.output_message = [](j_common_ptr) {};

    source_.next_input_byte = reinterpret_cast<const JOCTET*>(file.data());
    source_.bytes_in_buffer = file.size();
    source_.init_source = [](j_decompress_ptr) {};
    source_.fill_input_buffer = [](j_decompress_ptr state) -> boolean {
      of(reinterpret_cast<j_common_ptr>(state)).trap_.spring(truncated_data);
    };
    source_.skip_input_data = [](j_decompress_ptr state, long count) {
      if (count <= 0) return;
      if (static_cast<std::size_t>(count) > state->src->bytes_in_buffer)
        of(reinterpret_cast<j_common_ptr>(state)).trap_.spring(truncated_data);
      state->src->next_input_byte += count;
      state->src->bytes_in_buffer -= static_cast<std::size_t>(count);
    };
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = [](j_decompress_ptr) {};

    progress_.progress_monitor = [](j_common_ptr state) {
      if (reinterpret_cast<j_decompress_ptr>(state)->input_scan_number > max_scans)
        of(state).trap_.spring("it has more than 500 scans");
    };
  }
  ~jpeg_reader() {
    if (created_) jpeg_destroy_decompress(&state_);
  }
  jpeg_reader(const jpeg_reader&) = delete;
  jpeg_reader& operator=(const jpeg_reader&) = delete;

  bool read_header() {
    return trap_.run([this] {
      jpeg_create_decompress(&state_);
      created_ = true;
      state_.client_data = this;  // creation clears the struct, but for `err` and this
      state_.src = &source_;
      state_.progress = &progress_;
      jpeg_save_markers(&state_, JPEG_APP0 + 1, 0xFFFF);
      jpeg_read_header(&state_, TRUE);
    });
  }

  /// Appends rows to `pixels`, and so holds no more than the data that was really there.
  /// `row` is scratch of one source row.
  bool read_rows(int reduction, std::vector<std::uint8_t>& pixels, std::vector<std::uint8_t>& row) {
    return trap_.run([&, this] {
      state_.scale_num = 1;
      state_.scale_denom = static_cast<unsigned>(reduction);
      const bool inks = state_.num_components == 4;
      state_.out_color_space = inks ? JCS_CMYK : JCS_RGB;
      jpeg_start_decompress(&state_);
      const std::size_t width = state_.output_width;
      row.resize(width * 4);
      while (state_.output_scanline < state_.output_height) {
        const std::size_t at = pixels.size();
        pixels.resize(at + width * 3);
        JSAMPROW target = inks ? row.data() : pixels.data() + at;
        jpeg_read_scanlines(&state_, &target, 1);
        if (inks) rgb_from_inverted_cmyk(row.data(), width, pixels.data() + at);
      }
      jpeg_finish_decompress(&state_);
    });
  }

  /// A Huffman code has at least one bit, and every block at least one code: a shorter file lies.
  bool is_shorter_than_its_blocks(std::size_t file_bytes) const {
    if (state_.arith_code) return false;
    std::uint64_t blocks = 0;
    for (int i = 0; i < state_.num_components; ++i)
      blocks +=
          std::uint64_t{state_.comp_info[i].width_in_blocks} * state_.comp_info[i].height_in_blocks;
    return blocks / 8 > file_bytes;
  }

  int orientation() const {
    constexpr std::string_view exif("Exif\0\0", 6), xmp("http://ns.adobe.com/xap/1.0/\0", 29);
    int from_xmp = 0;
    for (jpeg_saved_marker_ptr marker = state_.marker_list; marker; marker = marker->next) {
      const std::string_view text(reinterpret_cast<const char*>(marker->data), marker->data_length);
      if (text.starts_with(exif)) {
        const int found = orientation_from_exif(std::as_bytes(std::span(text.substr(exif.size()))));
        if (found) return found;
      } else if (text.starts_with(xmp) && from_xmp == 0) {
        from_xmp = orientation_from_xmp(text.substr(xmp.size()));
      }
    }
    return from_xmp;
  }

  int components() const { return state_.num_components; }
  std::int64_t width() const { return state_.image_width; }
  std::int64_t height() const { return state_.image_height; }
  const char* reason() const { return trap_.reason(); }

 private:
  static constexpr int max_scans = 500;  // a scan of a few bytes can cost a pass over all blocks

  static jpeg_reader& of(j_common_ptr state) {
    return *static_cast<jpeg_reader*>(state->client_data);
  }
  [[noreturn]] void fail(j_common_ptr state) {
    char message[JMSG_LENGTH_MAX] = {};
    state->err->format_message(state, message);
    trap_.spring(message);
  }
  static bool loses_pixels(int code) {
#if defined(D_ARITH_CODING_SUPPORTED) || JPEG_LIB_VERSION >= 70
    if (code == JWRN_ARITH_BAD_CODE) return true;
#endif
    return code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
           code == JWRN_MUST_RESYNC;
  }
  /// Four-component files are stored inverted (Adobe's way, which Pillow takes for granted).
  /// Pillow's conversion: white minus black, less the share of each ink, rounded as its MULDIV255.
  static void rgb_from_inverted_cmyk(const std::uint8_t* cmyk, std::size_t width,
                                     std::uint8_t* rgb) {
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t c = 0; c < 3; ++c) {
        const int light = cmyk[x * 4 + 3];
        const int product = (255 - cmyk[x * 4 + c]) * light + 128;
        const int value = light - ((product + (product >> 8)) >> 8);
        rgb[x * 3 + c] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
      }
  }

  jpeg_decompress_struct state_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_source_mgr source_ = {};
  jpeg_progress_mgr progress_ = {};
  image_trap trap_;
  bool created_ = false;
};

/// Throws `image_error` where the header is not one of a picture that can be read.
inline void read_jpeg_header(jpeg_reader& reader, std::size_t file_bytes, std::string_view name,
                             const decode_options& options) {
  if (!reader.read_header()) throw_undecodable(name, "JPEG", reader.reason());
  check_pixel_count(reader.width(), reader.height(), options, name);
  if (const int count = reader.components(); count != 1 && count != 3 && count != 4)
    throw_undecodable(name, "JPEG", sentence("it has ", count, " components; 1, 3 and 4 are read"));
  if (reader.is_shorter_than_its_blocks(file_bytes))
    throw_undecodable(name, "JPEG", truncated_data);
}

/// The full size, turned upright where the options say so: orientations 5 to 8 exchange the sides.
inline image_size jpeg_size(std::span<const std::byte> file, std::string_view name,
                            const decode_options& options) {
  jpeg_reader reader(file);
  read_jpeg_header(reader, file.size(), name, options);
  const int orientation = options.apply_exif ? reader.orientation() : 0;
  image_size size{static_cast<int>(reader.width()), static_cast<int>(reader.height())};
  if (orientation >= 5 && orientation <= 8) std::swap(size.width, size.height);
  return size;
}

inline image decode_jpeg(std::span<const std::byte> file, std::string_view name,
                         const decode_options& options) {
  check_reduction(options, name);
  jpeg_reader reader(file);
  read_jpeg_header(reader, file.size(), name, options);
  const auto reduced = [&](std::int64_t side) {
    return static_cast<int>((side + options.reduction - 1) / options.reduction);
  };
  image picture{.width = reduced(reader.width()), .height = reduced(reader.height()), .pixels = {}};
  const std::size_t total = picture.row_bytes() * static_cast<std::size_t>(picture.height);
  picture.pixels.reserve(std::min(total, 64 * file.size()));
  const int orientation = options.apply_exif ? reader.orientation() : 0;  // rows end the markers
  std::vector<std::uint8_t> row;
  if (!reader.read_rows(options.reduction, picture.pixels, row))
    throw_undecodable(name, "JPEG", reader.reason());
  if (picture.pixels.size() != total)
    throw_undecodable(name, "JPEG", "it does not decode to the size that its header says");
  return upright(std::move(picture), orientation);
}

}  // namespace effnet::detail
