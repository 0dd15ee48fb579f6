#pragma once

#include <cctype>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/io/decode.hpp>
#include <effnet/io/image.hpp>

namespace effnet {

/// JPEG and PNG files with one label or several, decoded whenever one is asked for. Made by
/// `read_class_folders` and `read_image_list`, which give it a stable order.
class image_files {
 public:
  struct entry {
    std::string name;         ///< path below the folder, or absolute
    std::vector<int> labels;  ///< at least one
  };

  image_files(std::filesystem::path folder, std::vector<std::string> classes,
              std::vector<entry> entries, std::size_t ignored, std::vector<std::string> warnings)
      : folder_(std::move(folder)),
        classes_(std::move(classes)),
        entries_(std::move(entries)),
        ignored_(ignored),
        warnings_(std::move(warnings)) {}

  std::size_t count() const { return entries_.size(); }
  const std::vector<std::string>& classes() const { return classes_; }
  /// The first label, the only one but in lists of several.
  int label(std::size_t i) const { return entries_[i].labels.front(); }
  std::span<const int> labels(std::size_t i) const { return entries_[i].labels; }
  const std::string& name(std::size_t i) const { return entries_[i].name; }
  std::filesystem::path path(std::size_t i) const { return folder_ / entries_[i].name; }

  /// Throws `file_error` or `image_error` where the file has gone or is damaged.
  effnet::image image(std::size_t i, const decode_options& options = {}) const {
    return read_image(path(i), options);
  }
  /// Its file's bytes. Throws likewise.
  std::optional<encoded_image> encoded(std::size_t i) const {
    const std::filesystem::path file = path(i);
    auto bytes = std::make_shared<const std::vector<std::byte>>(read_image_bytes(file));
    const std::span<const std::byte> whole(*bytes);
    return encoded_image{std::move(bytes), whole, file.string()};
  }

  /// Files that were passed over since their names are not those of pictures.
  std::size_t ignored() const { return ignored_; }
  /// What was odd, a sentence each.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::filesystem::path folder_;
  std::vector<std::string> classes_;
  std::vector<entry> entries_;
  std::size_t ignored_;
  std::vector<std::string> warnings_;
};

static_assert(encoded_set<image_files> && multi_label_set<image_files>);

namespace detail {

inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

inline bool is_picture_name(const std::filesystem::path& file) {
  const std::string ending = lower_case(file.extension().string());
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

}  // namespace detail
}  // namespace effnet
