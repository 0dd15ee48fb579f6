#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include <effnet/io/atomic_file.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/jpeg_encode.hpp>
#include <effnet/io/png_encode.hpp>

namespace effnet {

namespace detail {

inline void write_image_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  atomic_file file(path.string());
  file.write(bytes);
  file.commit();
}

}  // namespace detail

/// Writes `encode_jpeg(picture, quality)`. The file is there whole or not at all.
/// Throws `file_error` where it cannot be written.
inline void write_jpeg(const std::filesystem::path& path, const image& picture, int quality = 75) {
  detail::write_image_bytes(path, encode_jpeg(picture, quality));
}

/// Writes `encode_png(picture)`. The file is there whole or not at all.
/// Throws `file_error` where it cannot be written.
inline void write_png(const std::filesystem::path& path, const image& picture) {
  detail::write_image_bytes(path, encode_png(picture));
}

}  // namespace effnet
