#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>

#include <effnet/core/error.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/jpeg_encode.hpp>
#include <effnet/io/png_encode.hpp>

namespace effnet {

namespace detail {

inline void write_image_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const std::string name = path.string();
  std::FILE* file = std::fopen(name.c_str(), "wb");
  bool written = file != nullptr;
  if (file != nullptr) {
    written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    const int reason = errno;
    const bool closed = std::fclose(file) == 0;
    if (!written) errno = reason;
    written = written && closed;
  }
  if (!written)
    throw file_error(sentence("cannot write the image ", name, ": ", std::strerror(errno)));
}

}  // namespace detail

/// Writes `encode_jpeg(picture, quality)`. Throws `file_error` where the file cannot be written.
inline void write_jpeg(const std::filesystem::path& path, const image& picture, int quality = 75) {
  detail::write_image_bytes(path, encode_jpeg(picture, quality));
}

/// Writes `encode_png(picture)`. Throws `file_error` where the file cannot be written.
inline void write_png(const std::filesystem::path& path, const image& picture) {
  detail::write_image_bytes(path, encode_png(picture));
}

}  // namespace effnet
