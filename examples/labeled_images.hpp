#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <effnet/data/tar_reader.hpp>
#include <effnet/images.hpp>

#include "class_list.hpp"

namespace example {

/// Pictures with their classes, from
///   - a folder of class folders: `DIR/n01440764/any.jpg`,
///   - a folder of pictures named by class: `DIR/n01440764.jpg` or `DIR/n01440764_12.jpg`,
///   - a plain tar of either.
/// A class is a WordNet id, a name or an index. Reading is safe on several threads at once.
class labeled_images {
 public:
  labeled_images(const std::string& folder_or_tar, const class_finder& classes)
      : source_(folder_or_tar), classes_(classes) {
    namespace fs = std::filesystem;
    if (!fs::exists(source_))
      throw effnet::file_error(effnet::sentence("there is no folder or tar '", source_, "'"));
    try {
      fs::is_directory(source_) ? list_folder() : list_tar();
    } catch (const fs::filesystem_error& e) {
      throw effnet::file_error(effnet::sentence("cannot read the folder '",
                                                e.path1().empty() ? source_ : e.path1().string(),
                                                "': ", e.code().message()));
    }
    std::ranges::sort(entries_, {}, &entry::name);
    if (entries_.empty())
      throw effnet::file_error(effnet::sentence(
          "'", source_,
          "' has no pictures: expected class folders or a flat list of .jpg, .jpeg "
          "and .png files"));
  }

  std::size_t size() const { return entries_.size(); }
  /// Keeps the first `count`, spread over the whole.
  void keep(std::size_t count) {
    if (count == 0 || count >= size()) return;
    for (std::size_t i = 0; i < count; ++i) std::swap(entries_[i], entries_[i * size() / count]);
    entries_.resize(count);
  }

  const std::string& name(std::size_t i) const { return entries_[i].name; }
  int truth(std::size_t i) const { return entries_[i].truth; }

  effnet::image read(std::size_t i, const effnet::decode_options& options) const {
    const entry& wanted = entries_[i];
    if (!archive_) return effnet::read_image(std::filesystem::path(source_) / wanted.name, options);
    effnet::image picture = effnet::decode_image(wanted.bytes, wanted.name, options);
    effnet::release_pages(archive_, wanted.bytes);
    return picture;
  }

 private:
  struct entry {
    std::string name;
    int truth = 0;
    std::span<const std::byte> bytes;  ///< in the tar
  };

  static bool is_picture(const std::filesystem::path& file) {
    std::string ending = file.extension().string();
    for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
  }

  /// Whether a linked folder holds the link itself: following it would never end.
  static bool leads_upwards(const std::filesystem::path& link) {
    std::error_code ignored;
    for (std::filesystem::path above = link.parent_path(); !above.empty();
         above = above.parent_path()) {
      if (std::filesystem::equivalent(link, above, ignored)) return true;
      if (above == above.parent_path()) break;
    }
    return false;
  }

  void list_folder() {
    namespace fs = std::filesystem;
    const auto options = fs::directory_options::follow_directory_symlink;
    std::error_code ignored;  // a link to nowhere is no picture
    for (fs::recursive_directory_iterator at(source_, options), end; at != end; ++at) {
      if (at->is_regular_file(ignored) && is_picture(at->path()))
        add(at->path().lexically_relative(source_).generic_string(), {});
      if (at->is_symlink() && at->is_directory(ignored) && leads_upwards(at->path()))
        at.disable_recursion_pending();
    }
  }

  void list_tar() {
    effnet::tar_reader reader(source_);
    archive_ = reader.owner();
    std::vector<effnet::tar_entry> pictures;
    while (const std::optional<effnet::tar_entry> found = reader.next())
      if (is_picture(found->name)) pictures.push_back(*found);
    const bool flat = are_in_one_folder(pictures);
    for (const effnet::tar_entry& found : pictures) add(found.name, found.bytes, flat);
  }

  /// Whether all lie in one folder that names no class: what a tar of a flat list looks like.
  bool are_in_one_folder(std::span<const effnet::tar_entry> pictures) const {
    if (pictures.empty()) return false;
    const auto folder_of = [](const effnet::tar_entry& picture) {
      return std::filesystem::path(picture.name).parent_path();
    };
    const std::filesystem::path first = folder_of(pictures.front());
    return !classes_.find(first.filename().string()) &&
           std::ranges::all_of(pictures, [&](const auto& p) { return folder_of(p) == first; });
  }

  void add(std::string name, std::span<const std::byte> bytes, bool flat = false) {
    const std::filesystem::path path(name);
    const int truth = flat || !path.has_parent_path()
                          ? class_of_file(path.stem().string())
                          : class_of_folder(path.parent_path().filename());
    entries_.push_back({std::move(name), truth, bytes});
  }

  int class_of_folder(const std::filesystem::path& folder) {
    const std::string text = folder.string();
    const auto known = folders_.find(text);
    if (known != folders_.end()) return known->second;
    const std::optional<int> found = classes_.find(text);
    if (!found) refuse(effnet::sentence("the folder '", text, "'"));
    return folders_.emplace(text, *found).first->second;
  }

  int class_of_file(const std::string& stem) const {
    if (const std::optional<int> found = classes_.find(stem)) return *found;
    if (const std::optional<int> found = classes_.find(stem.substr(0, stem.find('_'))))
      return *found;
    refuse(effnet::sentence("the picture '", stem, "'"));
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw effnet::error(effnet::sentence(
        what, " of '", source_, "' is named like no class of ", classes_.source(),
        ": expected a WordNet id, a class name or an index; --labels gives the classes"));
  }

  std::string source_;
  const class_finder& classes_;
  std::map<std::string, int> folders_;
  std::vector<entry> entries_;
  std::shared_ptr<const void> archive_;
};

}  // namespace example
