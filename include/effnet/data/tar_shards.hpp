#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/core/file_mapping.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/data/folder_names.hpp>
#include <effnet/data/tar_reader.hpp>
#include <effnet/io/decode.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/in_quotes.hpp>

namespace effnet {

/// The pictures of one uncompressed tar or several ("shards") that hold CLASS/NAME.jpg (.jpeg,
/// .png), also below folders that all share. The archives are mapped and indexed once, pictures are
/// read where they lie: memory is that of the index. Made by `read_tar_shards`.
class tar_shards {
 public:
  struct shard {
    std::string path;
    std::shared_ptr<const void> owner;
  };
  struct entry {
    std::string name;
    std::span<const std::byte> bytes;
    std::uint32_t shard = 0;
    int label = 0;
  };

  tar_shards(std::vector<shard> shards, std::vector<std::string> classes,
             std::vector<entry> entries, std::size_t ignored, std::vector<std::string> warnings)
      : shards_(std::move(shards)),
        classes_(std::move(classes)),
        entries_(std::move(entries)),
        ignored_(ignored),
        warnings_(std::move(warnings)) {}

  std::size_t count() const { return entries_.size(); }
  const std::vector<std::string>& classes() const { return classes_; }
  int label(std::size_t i) const { return entries_[i].label; }
  /// Its path in the archive, whichever archive that is.
  const std::string& name(std::size_t i) const { return entries_[i].name; }
  /// Which shard holds it.
  std::size_t group(std::size_t i) const { return entries_[i].shard; }

  std::optional<encoded_image> encoded(std::size_t i) const {
    const entry& one = entries_[i];
    const shard& holder = shards_[one.shard];
    return encoded_image{holder.owner, one.bytes,
                         sentence(path_in_quotes(holder.path), ": ", one.name)};
  }
  /// Throws `image_error` where it is damaged.
  effnet::image image(std::size_t i, const decode_options& options = {}) const {
    const std::optional<encoded_image> file = encoded(i);
    effnet::image picture = decode_image(file->bytes, file->name, options);
    release_pages(file->owner, file->bytes);
    return picture;
  }

  /// Entries that were passed over since they are no pictures of a class.
  std::size_t ignored() const { return ignored_; }
  /// What was odd, a sentence each.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::vector<shard> shards_;
  std::vector<std::string> classes_;
  std::vector<entry> entries_;
  std::size_t ignored_;
  std::vector<std::string> warnings_;
};

static_assert(encoded_set<tar_shards> && grouped_set<tar_shards>);

namespace detail {

/// Reads the index of every shard, then finds out what in the names is the class.
class tar_index {
 public:
  tar_index(std::string path, std::vector<std::string> classes)
      : path_(std::move(path)), classes_(std::move(classes)), are_given_(!classes_.empty()) {}

  tar_shards run() {
    try {
      for (const std::string& shard : shard_paths()) take_shard(shard);
    } catch (const std::filesystem::filesystem_error& e) {
      throw file_error(
          sentence("cannot read the folder ", path_in_quotes(path_), ": ", e.code().message()));
    }
    const std::size_t common = shared_beginning();
    std::erase_if(entries_, [&](const tar_shards::entry& one) {
      return class_of(one, common).empty() && ++unclassed_ > 0;
    });
    ignored_ += unclassed_;
    if (entries_.empty()) fail("has no pictures: expected CLASS/NAME.jpg, .jpeg or .png in it");
    if (unclassed_ > 0)
      warnings_.push_back(sentence(path_in_quotes(path_), " has ", unclassed_,
                                   unclassed_ == 1 ? " picture" : " pictures",
                                   " outside class folders, passed over"));
    label(common);
    return {std::move(shards_), std::move(classes_), std::move(entries_), ignored_,
            std::move(warnings_)};
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw file_error(sentence(path_in_quotes(path_), " ", what));
  }

  std::vector<std::string> shard_paths() const {
    std::error_code gone;
    if (!std::filesystem::is_directory(path_, gone)) return {path_};
    const std::vector<std::string> names = tar_names(path_);
    if (names.empty()) fail("has no .tar files");
    if (names.size() > 1 && std::ranges::all_of(names, [](const std::string& name) {
          return is_part_name(std::filesystem::path(name).stem().string());
        }))
      fail(sentence("holds the parts of a data set; give one of them, as in ",
                    path_in_quotes((std::filesystem::path(path_) / names.front()).string())));
    std::vector<std::string> paths;
    for (const std::string& name : names)
      paths.push_back((std::filesystem::path(path_) / name).string());
    return paths;
  }

  void take_shard(const std::string& path) {
    file_mapping archive = map_file(path);
    const std::span<const std::byte> whole = archive.bytes;
    const std::shared_ptr<const void> owner = archive.owner;
    tar_reader reader(std::move(archive), path);
    const auto number = static_cast<std::uint32_t>(shards_.size());
    while (std::optional<tar_entry> found = reader.next())
      if (is_picture_name(found->name) && !is_hidden(found->name))
        entries_.push_back({std::move(found->name), found->bytes, number, 0});
      else
        ++ignored_;
    release_pages(owner, whole);  // walking has touched them all over the archive
    shards_.push_back({path, owner});
  }

  /// Such as the "._name.jpg" that some systems add to archives.
  static bool is_hidden(std::string_view name) {
    return name.substr(name.rfind('/') + 1).starts_with('.');
  }

  /// How much of every name is folders that all share, above the classes.
  std::size_t shared_beginning() const {
    std::size_t shared = 0;
    for (bool longer = !entries_.empty(); longer;) {
      const std::string& first = entries_.front().name;
      const std::size_t slash = first.find('/', shared);
      if (slash == first.npos) break;
      const std::string_view folder = std::string_view(first).substr(0, slash + 1);
      if (std::ranges::find(classes_, folder.substr(shared, slash - shared)) != classes_.end())
        break;
      longer = std::ranges::all_of(entries_, [&](const tar_shards::entry& one) {
        return one.name.starts_with(folder) &&
               one.name.find('/', folder.size()) != std::string::npos;
      });
      if (longer) shared = folder.size();
    }
    return shared;
  }

  static std::string_view class_of(const tar_shards::entry& one, std::size_t shared) {
    const std::string_view name = std::string_view(one.name).substr(shared);
    const std::size_t slash = name.find('/');
    return slash == name.npos ? std::string_view() : name.substr(0, slash);
  }

  void label(std::size_t shared) {
    if (!are_given_) {
      for (const tar_shards::entry& one : entries_) {
        const std::string_view name = class_of(one, shared);
        const auto at = std::ranges::lower_bound(classes_, name);
        if (at == classes_.end() || *at != name) classes_.emplace(at, name);
      }
    }
    std::vector<std::pair<std::string_view, int>> places;
    for (std::size_t i = 0; i < classes_.size(); ++i)
      places.emplace_back(classes_[i], static_cast<int>(i));
    std::ranges::sort(places);
    for (tar_shards::entry& one : entries_) {
      const std::string_view name = class_of(one, shared);
      const auto at =
          std::ranges::lower_bound(places, name, {}, &std::pair<std::string_view, int>::first);
      if (at == places.end() || at->first != name)
        fail(sentence("has the class folder ", in_quotes(name), ", which is none of the ",
                      classes_.size(), " classes of this model or training set"));
      one.label = at->second;
    }
  }

  std::string path_;
  std::vector<std::string> classes_;
  bool are_given_;
  std::vector<tar_shards::shard> shards_;
  std::vector<tar_shards::entry> entries_;
  std::vector<std::string> warnings_;
  std::size_t ignored_ = 0, unclassed_ = 0;
};

}  // namespace detail

/// The pictures of a tar, or of all .tar files of a folder, in the order in which they lie there;
/// shards in the order of their names. Labels are the places of the class names of all shards,
/// sorted; with `classes` given (those of the training set, for a validation set) the places in it.
/// Throws `file_error`, naming the shard, where one is damaged, compressed or cut off, where there
/// are no pictures, and where a class is unknown.
inline tar_shards read_tar_shards(const std::string& path, std::vector<std::string> classes = {}) {
  return detail::tar_index(path, std::move(classes)).run();
}

}  // namespace effnet
