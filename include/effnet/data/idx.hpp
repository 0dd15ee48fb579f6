#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/core/file_mapping.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/in_quotes.hpp>

namespace effnet {

namespace detail {

/// An IDX file of bytes: two zeros, the type 8, the number of dimensions, their extents as 32 bit
/// big endian, the values.
struct idx_file {
  file_mapping file;
  std::vector<std::size_t> extents;
  std::span<const std::byte> values;
};

/// Throws `file_error` unless it has `dimensions` of them and exactly the values that they ask for.
inline idx_file map_idx(const std::string& path, std::size_t dimensions, std::string_view what) {
  const auto refuse = [&](const std::string& why) {
    throw file_error(sentence(path_in_quotes(path), " ", why));
  };
  idx_file mapped{map_file(path), {}, {}};
  const std::span<const std::byte> bytes = mapped.file.bytes;
  const auto at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
  if (bytes.size() >= 2 && at(0) == 0x1F && at(1) == 0x8B)
    refuse("is compressed with gzip; unpack it first");
  if (bytes.size() < 4 || at(0) != 0 || at(1) != 0)
    refuse("is no IDX file: it does not begin with two zero bytes, a type and a dimension count");
  if (at(2) != 8)
    refuse(sentence("holds values of the IDX type ", at(2), ", expected 8 (unsigned bytes)"));
  if (at(3) != dimensions)
    refuse(sentence("has ", at(3), " dimensions, expected the ", dimensions, " of ", what));
  const std::size_t header = 4 + 4 * dimensions;
  if (bytes.size() < header)
    refuse(sentence("is truncated: it ends at byte ", bytes.size(), ", within its header"));
  std::size_t expected = 1;
  for (std::size_t d = 0; d < dimensions; ++d) {
    const std::size_t b = 4 + 4 * d;
    const std::size_t extent = at(b) << 24 | at(b + 1) << 16 | at(b + 2) << 8 | at(b + 3);
    if (extent == 0) refuse("holds nothing: one of its extents is 0");
    if (expected > std::numeric_limits<std::size_t>::max() / extent)
      refuse("is damaged: its extents are beyond any file");
    expected *= extent;
    mapped.extents.push_back(extent);
  }
  mapped.values = bytes.subspan(header);
  if (mapped.values.size() != expected)
    refuse(sentence("is truncated or damaged: its header asks for ", expected,
                    " bytes of values and it has ", mapped.values.size()));
  return mapped;
}

}  // namespace detail

/// Gray images and their labels in IDX files, the format of MNIST (LeCun) and its relatives: one
/// file [count, height, width], one [count]. Gray becomes RGB with three equal channels. The files
/// are mapped and stay on the disk.
class idx {
 public:
  /// `names`: one name a class; where there are none, classes are called by their number, up to
  /// the largest label, at least ten. Throws `file_error` where a file is malformed, the two do not
  /// belong together, or a label has no name.
  idx(const std::string& images_path, const std::string& labels_path,
      std::vector<std::string> names = {})
      : images_(detail::map_idx(images_path, 3, "images")),
        labels_(detail::map_idx(labels_path, 1, "labels")),
        names_(std::move(names)),
        path_(images_path) {
    if (images_.extents[0] != labels_.extents[0])
      throw file_error(sentence(path_in_quotes(images_path), " has ", images_.extents[0],
                                " images and ", path_in_quotes(labels_path), " has ",
                                labels_.extents[0], " labels; they do not belong together"));
    constexpr std::size_t longest = 1 << 16;
    if (images_.extents[1] > longest || images_.extents[2] > longest)
      throw file_error(sentence(path_in_quotes(images_path), " has images of ", images_.extents[2],
                                " x ", images_.extents[1], " pixels; a side has at most ",
                                longest));
    const std::size_t largest =
        std::to_integer<std::size_t>(*std::ranges::max_element(labels_.values));
    if (names_.empty())
      for (std::size_t i = 0; i <= std::max<std::size_t>(largest, 9); ++i)
        names_.push_back(sentence(i));
    if (largest >= names_.size())
      throw file_error(sentence(path_in_quotes(labels_path), " has the label ", largest,
                                ", but there are names for ", names_.size(), " classes"));
  }

  std::size_t count() const { return labels_.values.size(); }
  const std::vector<std::string>& classes() const { return names_; }
  int label(std::size_t i) const { return std::to_integer<int>(labels_.values[i]); }

  effnet::image image(std::size_t i) const {
    const std::size_t height = images_.extents[1], width = images_.extents[2];
    effnet::image made = make_image(static_cast<int>(width), static_cast<int>(height));
    const std::byte* gray = images_.values.data() + i * height * width;
    for (std::size_t pixel = 0; pixel < height * width; ++pixel)
      std::fill_n(made.pixels.data() + pixel * 3, 3, std::to_integer<std::uint8_t>(gray[pixel]));
    return made;
  }

  std::string name(std::size_t i) const {
    return sentence("image ", i, " of ", std::filesystem::path(path_).filename().string());
  }

 private:
  detail::idx_file images_, labels_;
  std::vector<std::string> names_;
  std::string path_;
};

static_assert(data_set<idx>);

/// MNIST, or what is packed like it, from a folder with train-images-idx3-ubyte and
/// train-labels-idx1-ubyte, or t10k-... of both (a dot before "idx" is taken too). Throws
/// `file_error`.
inline idx read_mnist(const std::string& folder, set_part part,
                      std::vector<std::string> names = {}) {
  const std::string_view start = part == set_part::train ? "train" : "t10k";
  const auto found = [&](std::string_view middle, std::string_view end) {
    std::error_code ignored;
    for (const char mark : {'-', '.'}) {
      const std::filesystem::path path =
          std::filesystem::path(folder) / sentence(start, middle, mark, end);
      if (std::filesystem::exists(path, ignored)) return path.string();
    }
    throw file_error(sentence("there is no ", start, middle, "-", end, " in ",
                              path_in_quotes(folder), "; unpack the four files of the set there"));
  };
  const std::string images = found("-images", "idx3-ubyte");
  return {images, found("-labels", "idx1-ubyte"), std::move(names)};
}

}  // namespace effnet
