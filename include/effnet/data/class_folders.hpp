#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/folder_names.hpp>
#include <effnet/data/image_files.hpp>
#include <effnet/io/in_quotes.hpp>

namespace effnet {

namespace detail {

/// One walk over a folder of class folders.
class class_folder_walk {
 public:
  class_folder_walk(const std::string& folder, std::vector<std::string> classes)
      : folder_(folder), classes_(std::move(classes)), are_given_(!classes_.empty()) {}

  image_files run() {
    try {
      find_classes();
      for (const std::string& name : folders_) take_class(name);
    } catch (const std::filesystem::filesystem_error& e) {
      const std::string where = e.path1().empty() ? folder_.string() : e.path1().string();
      throw file_error(
          sentence("cannot read the folder ", path_in_quotes(where), ": ", e.code().message()));
    }
    if (entries_.empty()) fail("has no pictures: expected FOLDER/CLASS/NAME.jpg, .jpeg or .png");
    if (unread_ > 0)
      warnings_.push_back(sentence(unread_, unread_ == 1 ? " picture" : " pictures", " in ",
                                   path_in_quotes(folder_.string()),
                                   " are in a format that is not read; convert them to JPEG or "
                                   "PNG: ",
                                   in_quotes(first_unread_), unread_ == 1 ? "" : " and others"));
    return {folder_, std::move(classes_), std::move(entries_), ignored_, std::move(warnings_)};
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw file_error(sentence(path_in_quotes(folder_.string()), " ", what));
  }
  static bool is_folder(const std::filesystem::path& path) {
    std::error_code ignored;  // a link to nowhere is none
    return std::filesystem::is_directory(path, ignored);
  }

  void find_classes() {
    for (std::string& name : sorted_names(folder_))
      if (is_folder(folder_ / name))
        folders_.push_back(std::move(name));
      else
        pass_over(name);
    if (folders_.empty())
      fail("has no class folders: expected FOLDER/CLASS/NAME.jpg, .jpeg or .png");
    if (std::ranges::all_of(folders_, [](const std::string& name) { return is_part_name(name); }))
      fail(sentence("holds the parts of a data set, not its classes; give one of them, as in ",
                    path_in_quotes((folder_ / folders_.front()).string())));
    if (!are_given_) classes_ = folders_;
  }

  void take_class(const std::string& name) {
    const auto known = std::ranges::find(classes_, name);
    if (known == classes_.end())
      fail(sentence("has the class folder ", in_quotes(name), ", which is none of the ",
                    classes_.size(),
                    " classes of this model or training set; rename or remove it"));
    const int label = static_cast<int>(known - classes_.begin());
    const std::size_t before = entries_.size();
    take_files(name, label, true);
    if (entries_.size() != before) return;
    const std::string what = sentence("has no pictures in its class folder ", in_quotes(name),
                                      ": expected .jpg, .jpeg or .png files");
    if (!are_given_) fail(what + "; fill or remove it");
    warnings_.push_back(sentence(path_in_quotes(folder_.string()), " ", what));
  }

  /// The pictures of a folder, and of those in it but no deeper.
  void take_files(const std::string& inside, int label, bool descend) {
    for (const std::string& name : sorted_names(folder_ / inside)) {
      const std::string path = sentence(inside, '/', name);
      if (is_folder(folder_ / path)) {
        if (descend)
          take_files(path, label, false);
        else
          warnings_.push_back(sentence("the folder ", path_in_quotes((folder_ / path).string()),
                                       " lies too deep and was passed over"));
      } else if (std::error_code gone;
                 is_picture_name(name) && std::filesystem::is_regular_file(folder_ / path, gone)) {
        entries_.push_back({path, {label}});
      } else {
        pass_over(path);
      }
    }
  }

  void pass_over(const std::string& path) {
    ++ignored_;
    constexpr std::string_view unread[] = {".webp", ".gif",  ".bmp",  ".tif",
                                           ".tiff", ".heic", ".avif", ".jp2"};
    const std::string ending = lower_case(std::filesystem::path(path).extension().string());
    if (std::ranges::find(unread, ending) == std::end(unread)) return;
    if (unread_++ == 0) first_unread_ = path;
  }

  std::filesystem::path folder_;
  std::vector<std::string> classes_;
  bool are_given_;
  std::vector<std::string> folders_;
  std::vector<image_files::entry> entries_;
  std::vector<std::string> warnings_;
  std::size_t ignored_ = 0, unread_ = 0;
  std::string first_unread_;
};

}  // namespace detail

/// The pictures of FOLDER/CLASS/NAME.jpg and FOLDER/CLASS/ANY/NAME.jpg (.jpeg, .png), ordered by
/// class and name as bytes on every system. Labels are the places of the sorted class names; with
/// `classes` given (those of the training set, for a validation set) the places in it. Other files
/// are counted, hidden ones are not seen. Throws `file_error` where there is nothing to read, a
/// class is empty (a warning, if `classes` are given) or unknown, or the folder is one above.
inline image_files read_class_folders(const std::string& folder,
                                      std::vector<std::string> classes = {}) {
  return detail::class_folder_walk(folder, std::move(classes)).run();
}

}  // namespace effnet
