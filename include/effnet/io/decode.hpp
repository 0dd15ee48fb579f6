#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/io/decode_options.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/jpeg_decode.hpp>
#include <effnet/io/png_decode.hpp>

namespace effnet {

namespace detail {

enum class image_format { jpeg, png, unknown };

inline image_format format_of(std::span<const std::byte> file) {
  const std::string_view head(reinterpret_cast<const char*>(file.data()), file.size());
  if (head.starts_with("\xff\xd8\xff")) return image_format::jpeg;
  if (head.starts_with("\x89PNG\r\n\x1a\n")) return image_format::png;
  return image_format::unknown;
}

/// Says what a file looks like, for the message that refuses it.
inline std::string_view likely_format(std::string_view head) {
  if (head.starts_with("GIF8")) return " (it looks like GIF)";
  if (head.starts_with("BM")) return " (it looks like BMP)";
  if (head.starts_with("RIFF") && head.substr(0, 12).ends_with("WEBP"))
    return " (it looks like WebP)";
  if (head.starts_with(std::string_view("II*\0", 4)) ||
      head.starts_with(std::string_view("MM\0*", 4)))
    return " (it looks like TIFF)";
  if (head.substr(0, 8).ends_with("ftyp")) return " (it looks like HEIC or AVIF)";
  return "";
}

/// A beginning of either format that stops inside its first bytes is truncated, not foreign.
inline bool is_cut_signature(std::string_view head) {
  return std::string_view("\xff\xd8\xff").starts_with(head) ||
         std::string_view("\x89PNG\r\n\x1a\n").starts_with(head);
}

inline void refuse_unless_image(std::span<const std::byte> file, std::string_view name) {
  if (file.empty()) throw image_error(sentence("cannot decode ", name, ": it is empty"));
  if (format_of(file) != image_format::unknown) return;
  const std::string_view head(reinterpret_cast<const char*>(file.data()),
                              std::min<std::size_t>(file.size(), 16));
  if (is_cut_signature(head))
    throw image_error(sentence("cannot decode ", name, ": ", truncated_data));
  throw image_error(sentence("cannot decode ", name, ": it is neither JPEG nor PNG",
                             likely_format(head), ", the two formats that are read; convert it"));
}

}  // namespace detail

/// Decodes a JPEG or PNG, told apart by their first bytes, to the pixels that Pillow's
/// `Image.open(...).convert("RGB")` gives (differences: png_decode.hpp on 16-bit gray), turned
/// upright unless the options say otherwise. `name` stands for the file in messages.
/// Throws `image_error` where it is neither, damaged, truncated, or above the pixel limit.
inline image decode_image(std::span<const std::byte> file, std::string_view name,
                          const decode_options& options = {}) {
  detail::refuse_unless_image(file, name);
  return detail::format_of(file) == detail::image_format::jpeg
             ? detail::decode_jpeg(file, name, options)
             : detail::decode_png(file, name, options);
}

/// The full size of a picture that `decode_options::reduction` can make smaller, which is a JPEG,
/// from its header; nothing for a PNG (whose orientation may stand at its end). Throws as
/// `decode_image` does, but for damage beyond the header.
inline std::optional<image_size> reducible_size(std::span<const std::byte> file,
                                                std::string_view name,
                                                const decode_options& options = {}) {
  detail::refuse_unless_image(file, name);
  if (detail::format_of(file) != detail::image_format::jpeg) return std::nullopt;
  return detail::jpeg_size(file, name, options);
}

/// The bytes of an image file. Throws `file_error` where it cannot be read, `image_error` after its
/// first bytes where it is no image.
inline std::vector<std::byte> read_image_bytes(const std::filesystem::path& path) {
  const std::string name = path.string();
  const auto refuse = [&](std::string_view reason) {
    throw file_error(sentence("cannot read the image ", name, ": ", reason));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) refuse("it is a folder");
  const auto close = [](std::FILE* open) { std::fclose(open); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(name.c_str(), "rb"), close);
  if (!file) refuse(std::strerror(errno));

  std::vector<std::byte> bytes;
  for (std::size_t chunk = 64 << 10;; chunk = std::max(chunk, bytes.size())) {
    const std::size_t before = bytes.size();
    bytes.resize(before + chunk);
    const std::size_t got = std::fread(bytes.data() + before, 1, chunk, file.get());
    bytes.resize(before + got);
    if (std::ferror(file.get())) refuse(std::strerror(errno));
    if (before == 0) detail::refuse_unless_image(bytes, name);
    if (got < chunk) break;
  }
  return bytes;
}

/// `decode_image` of a file. Throws `file_error` too, where it cannot be read. What is no image is
/// refused after its first bytes.
inline image read_image(const std::filesystem::path& path, const decode_options& options = {}) {
  return decode_image(read_image_bytes(path), path.string(), options);
}

}  // namespace effnet
