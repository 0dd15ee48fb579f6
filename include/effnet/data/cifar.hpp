#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/core/file_mapping.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/data/text_lines.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/in_quotes.hpp>

namespace effnet {

/// CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in their binary versions: 32 x 32 RGB, records of one
/// or two label bytes and three planes of 1024 bytes. The files stay on the disk and are mapped; a
/// part of a file that holds whole records is accepted. Made by `read_cifar10` and `read_cifar100`.
class cifar {
 public:
  static constexpr int side = 32;

  /// How the records of a file look.
  struct layout {
    std::size_t label_bytes;  ///< in front of the pixels
    std::size_t label_at;     ///< which of them counts
    std::size_t class_count;
  };

  /// Throws `file_error` where a file is missing, is not made of whole records, or has a label
  /// beyond the last class. `names` has one name a class.
  cifar(std::span<const std::string> paths, const layout& form, std::vector<std::string> names)
      : form_(form), names_(std::move(names)) {
    for (const std::string& path : paths) add(path);
  }

  std::size_t count() const { return labels_.size(); }
  const std::vector<std::string>& classes() const { return names_; }
  int label(std::size_t i) const { return labels_[i]; }

  effnet::image image(std::size_t i) const {
    const batch& holder = batch_of(i);
    const std::byte* planes =
        holder.file.bytes.data() + (i - holder.first) * record_bytes() + form_.label_bytes;
    effnet::image made = make_image(side, side);
    for (std::size_t pixel = 0; pixel < plane_bytes; ++pixel)
      for (std::size_t c = 0; c < 3; ++c)
        made.pixels[pixel * 3 + c] = std::to_integer<std::uint8_t>(planes[c * plane_bytes + pixel]);
    return made;
  }

  std::string name(std::size_t i) const {
    const batch& holder = batch_of(i);
    return sentence("image ", i - holder.first, " of ",
                    std::filesystem::path(holder.path).filename().string());
  }

 private:
  struct batch {
    std::string path;
    file_mapping file;
    std::size_t first;  ///< number of its first image
  };
  static constexpr std::size_t plane_bytes = std::size_t{side} * side;

  std::size_t record_bytes() const { return form_.label_bytes + 3 * plane_bytes; }
  const batch& batch_of(std::size_t i) const {
    const auto behind = std::ranges::upper_bound(batches_, i, {}, &batch::first);
    return *std::prev(behind);
  }

  void add(const std::string& path) {
    batch added{path, map_file(path), labels_.size()};
    const std::span<const std::byte> bytes = added.file.bytes;
    if (bytes.empty() || bytes.size() % record_bytes() != 0)
      throw file_error(sentence(path_in_quotes(path), " has ", bytes.size(),
                                " bytes, which is no multiple of the ", record_bytes(),
                                " of a CIFAR-", form_.class_count == 10 ? "10" : "100",
                                " record: it is damaged, or not of the binary version"));
    for (std::size_t at = 0; at < bytes.size(); at += record_bytes()) {
      const auto label = std::to_integer<std::uint8_t>(bytes[at + form_.label_at]);
      if (label >= form_.class_count)
        throw file_error(sentence(path_in_quotes(path), " is damaged: record ", at / record_bytes(),
                                  " has the label ", label, ", expected 0 to ",
                                  form_.class_count - 1));
      labels_.push_back(label);
    }
    release_pages(added.file.owner, bytes);
    batches_.push_back(std::move(added));
  }

  layout form_;
  std::vector<std::string> names_;
  std::vector<batch> batches_;
  std::vector<std::uint8_t> labels_;
};

static_assert(data_set<cifar>);

namespace detail {

/// The folder that holds `file`: the one given, or the one of that name in it, as it is unpacked.
inline std::filesystem::path cifar_folder(const std::string& given, std::string_view unpacked,
                                          std::string_view file) {
  std::error_code ignored;
  for (const std::filesystem::path& folder :
       {std::filesystem::path(given), std::filesystem::path(given) / unpacked})
    if (std::filesystem::exists(folder / file, ignored)) return folder;
  throw file_error(sentence("there is no ", file, " in ", path_in_quotes(given),
                            " nor in its folder ", unpacked,
                            ": expected the binary version of the data set, unpacked"));
}

/// Class names from a file beside the data, or `fallback` where there is none.
inline std::vector<std::string> cifar_names(const std::filesystem::path& file, std::size_t count,
                                            std::vector<std::string> fallback) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return fallback;
  std::vector<std::string> names = text_lines(file.string());
  if (names.size() != count)
    throw file_error(sentence(path_in_quotes(file.string()), " names ", names.size(),
                              " classes, expected ", count, ", one a line"));
  return names;
}

inline std::vector<std::string> numbered_classes(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(sentence("class ", i));
  return names;
}

}  // namespace detail

/// CIFAR-10 from the folder `cifar-10-batches-bin` or the one above it: data_batch_1.bin to
/// data_batch_5.bin (50,000 images), or test_batch.bin (10,000). Names from batches.meta.txt, where
/// it is there. Throws `file_error`.
inline cifar read_cifar10(const std::string& folder, set_part part) {
  const bool train = part == set_part::train;
  const std::filesystem::path home = detail::cifar_folder(
      folder, "cifar-10-batches-bin", train ? "data_batch_1.bin" : "test_batch.bin");
  std::vector<std::string> paths;
  if (train)
    for (int i = 1; i <= 5; ++i)
      paths.push_back((home / sentence("data_batch_", i, ".bin")).string());
  else
    paths.push_back((home / "test_batch.bin").string());
  return {paths,
          {.label_bytes = 1, .label_at = 0, .class_count = 10},
          detail::cifar_names(home / "batches.meta.txt", 10,
                              {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog",
                               "horse", "ship", "truck"})};
}

/// The two kinds of labels of CIFAR-100: 100 classes, or the 20 groups they belong to.
enum class cifar100_labels { fine, coarse };

/// CIFAR-100 from the folder `cifar-100-binary` or the one above it: train.bin (50,000 images) or
/// test.bin (10,000). Names from fine_label_names.txt or coarse_label_names.txt, where they are
/// there. Throws `file_error`.
inline cifar read_cifar100(const std::string& folder, set_part part,
                           cifar100_labels labels = cifar100_labels::fine) {
  const std::string_view file = part == set_part::train ? "train.bin" : "test.bin";
  const std::filesystem::path home = detail::cifar_folder(folder, "cifar-100-binary", file);
  const bool fine = labels == cifar100_labels::fine;
  const std::size_t classes = fine ? 100 : 20;
  const std::string paths[] = {(home / file).string()};
  return {paths,
          {.label_bytes = 2, .label_at = fine ? 1u : 0u, .class_count = classes},
          detail::cifar_names(home / (fine ? "fine_label_names.txt" : "coarse_label_names.txt"),
                              classes, detail::numbered_classes(classes))};
}

}  // namespace effnet
