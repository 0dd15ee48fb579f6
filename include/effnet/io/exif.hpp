#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include <effnet/io/image.hpp>

namespace effnet {

namespace detail {

/// Bounds-checked numbers out of a TIFF structure of either byte order.
struct tiff_bytes {
  std::span<const std::byte> data;
  bool big_endian = false;

  bool has(std::size_t at, std::size_t count) const {
    return at <= data.size() && count <= data.size() - at;
  }
  std::uint32_t number(std::size_t at, std::size_t bytes) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::size_t shift = 8 * (big_endian ? bytes - 1 - i : i);
      value |= std::to_integer<std::uint32_t>(data[at + i]) << shift;
    }
    return value;
  }
};

}  // namespace detail

/// The orientation that EXIF data tells, 1 to 8, or 0 where it tells none. `tiff` starts with the
/// byte order mark ("II" or "MM"). Malformed data tells nothing; it is no error.
inline int orientation_from_exif(std::span<const std::byte> tiff) {
  detail::tiff_bytes bytes{tiff};
  if (!bytes.has(0, 8)) return 0;
  if (std::memcmp(tiff.data(), "MM\0*", 4) == 0)
    bytes.big_endian = true;
  else if (std::memcmp(tiff.data(), "II*\0", 4) != 0)
    return 0;
  const std::size_t directory = bytes.number(4, 4);
  if (!bytes.has(directory, 2)) return 0;
  const std::size_t entries = bytes.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * 12;
    if (!bytes.has(entry, 12)) return 0;
    if (bytes.number(entry, 2) != 0x0112) continue;
    const std::uint32_t type = bytes.number(entry + 2, 2);
    const std::size_t size = type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0;  // unsigned kinds
    if (size == 0 || bytes.number(entry + 4, 4) != 1) return 0;
    const std::uint32_t value = bytes.number(entry + 8, size);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 0;
  }
  return 0;
}

/// The same from an XMP packet, as an attribute or an element `tiff:Orientation`.
inline int orientation_from_xmp(std::string_view packet) {
  constexpr std::string_view key = "tiff:Orientation";
  for (std::size_t at = packet.find(key); at != packet.npos; at = packet.find(key, at + 1)) {
    std::string_view rest = packet.substr(at + key.size());
    if (rest.starts_with("=\""))
      rest.remove_prefix(2);
    else if (rest.starts_with(">"))
      rest.remove_prefix(1);
    else
      continue;
    if (!rest.empty() && rest[0] >= '1' && rest[0] <= '8') return rest[0] - '0';
  }
  return 0;
}

/// Turns and mirrors `picture` so that it is seen as the camera was held: EXIF orientation 1 to 8,
/// anything else leaves it as it is.
inline image upright(image picture, int orientation) {
  if (orientation < 2 || orientation > 8) return picture;
  const bool swap_axes = orientation >= 5;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;

  const std::ptrdiff_t source_row = static_cast<std::ptrdiff_t>(picture.row_bytes());
  std::ptrdiff_t step_x = from_right ? -3 : 3;
  std::ptrdiff_t step_y = from_bottom ? -source_row : source_row;
  const std::ptrdiff_t start =
      (from_right ? source_row - 3 : 0) + (from_bottom ? source_row * (picture.height - 1) : 0);
  if (swap_axes) std::swap(step_x, step_y);

  image turned = swap_axes ? make_image(picture.height, picture.width)
                           : make_image(picture.width, picture.height);
  std::uint8_t* to = turned.pixels.data();
  for (int y = 0; y < turned.height; ++y)
    for (int x = 0; x < turned.width; ++x, to += 3)
      std::memcpy(to, picture.pixels.data() + start + x * step_x + y * step_y, 3);
  return turned;
}

}  // namespace effnet
