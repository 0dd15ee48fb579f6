#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/any_data_set.hpp>
#include <effnet/data/cifar.hpp>
#include <effnet/data/class_folders.hpp>
#include <effnet/data/folder_names.hpp>
#include <effnet/data/idx.hpp>
#include <effnet/data/image_list.hpp>
#include <effnet/data/shapes.hpp>
#include <effnet/data/tar_shards.hpp>
#include <effnet/io/in_quotes.hpp>

namespace effnet {

/// What `open_data_set` takes, for help texts and errors.
inline constexpr std::string_view data_set_forms =
    "DIR (class folders), FILE.tar or DIR (of tars), FILE.csv (lines PATH,LABEL), "
    "shapes[:COUNT[xSIZE]], cifar10:DIR, cifar100:DIR, idx:DIR";

namespace detail {

/// "COUNT" or "COUNTxSIZE"; nothing for what is neither.
inline std::optional<std::pair<std::size_t, int>> shapes_extent(std::string_view text) {
  std::size_t count = 0;
  int size = 64;
  const char* end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, count);
  if (read.ec != std::errc{}) return std::nullopt;
  if (read.ptr != end) {
    if (*read.ptr != 'x') return std::nullopt;
    read = std::from_chars(read.ptr + 1, end, size);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  }
  constexpr std::size_t most = 1'000'000'000;
  constexpr int largest = 4096;
  if (count < 1 || count > most || size < 1 || size > largest) return std::nullopt;
  return std::pair(count, size);
}

inline any_data_set open_shapes(std::string_view given, set_part part) {
  const bool train = part == set_part::train;
  const std::string_view extent = given.empty() ? (train ? "10000" : "1000") : given;
  const auto read = shapes_extent(extent);
  if (!read)
    throw error(sentence("the data set ", in_quotes(sentence("shapes:", given)),
                         " is not understood; expected shapes[:COUNT[xSIZE]], as in "
                         "shapes:2000x96, with COUNT from 1 and SIZE from 1 to 4096"));
  return shapes(read->first, train ? 0 : 1, read->second);
}

inline void expect_classes(const std::vector<std::string>& expected, const any_data_set& set,
                           const std::string& given) {
  if (expected.empty() || expected == set.classes()) return;
  throw error(sentence("the data set ", path_in_quotes(given), " has ", set.classes().size(),
                       " classes (", in_quotes(set.classes().front()), ", ...) that are not the ",
                       expected.size(), " of this model or training set (",
                       in_quotes(expected.front()), ", ...)"));
}

inline any_data_set open_folder(const std::string& path, std::vector<std::string> classes) {
  std::error_code gone;
  bool has_folders = false, has_tars = false;
  try {
    for (const std::string& name : sorted_names(path))
      if (std::filesystem::is_directory(std::filesystem::path(path) / name, gone))
        has_folders = true;
    has_tars = !tar_names(path).empty();
  } catch (const std::filesystem::filesystem_error& e) {
    throw file_error(
        sentence("cannot read the folder ", path_in_quotes(path), ": ", e.code().message()));
  }
  if (has_tars && !has_folders) return read_tar_shards(path, std::move(classes));
  return read_class_folders(path, std::move(classes));
}

}  // namespace detail

/// Opens a data set by what a user writes: one of `data_set_forms`. `part` chooses in formats that
/// come in two (shapes: test pictures have another seed); the others are what they are. `classes`
/// are those of the model or training set that it has to fit; empty: its own. Throws `file_error`
/// where it cannot be read, `error` where the text is not understood or the classes are others.
inline any_data_set open_data_set(const std::string& given, set_part part = set_part::train,
                                  std::vector<std::string> classes = {}) {
  namespace fs = std::filesystem;
  const std::string_view text = given;
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string rest(colon == text.npos ? std::string_view() : text.substr(colon + 1));
  const bool has_kind = kind == "cifar10" || kind == "cifar100" || kind == "idx";

  std::error_code gone;
  if (kind == "shapes" || (has_kind && colon != text.npos)) {
    if (has_kind && rest.empty())
      throw error(sentence("the data set ", path_in_quotes(given), " names no folder; expected ",
                           kind, ":DIR"));
    const any_data_set set = kind == "shapes"     ? detail::open_shapes(rest, part)
                             : kind == "cifar10"  ? any_data_set(read_cifar10(rest, part))
                             : kind == "cifar100" ? any_data_set(read_cifar100(rest, part))
                                                  : any_data_set(read_mnist(rest, part));
    detail::expect_classes(classes, set, given);
    return set;
  }
  if (fs::is_directory(given, gone)) return detail::open_folder(given, std::move(classes));
  const std::string name = detail::lower_case(given);
  if (fs::exists(given, gone)) {
    if (name.ends_with(".csv")) return read_image_list(given, std::move(classes));
    if (name.ends_with(".tar")) return read_tar_shards(given, std::move(classes));
    if (name.ends_with(".tgz") || name.ends_with(".tar.gz") || name.ends_with(".tar.xz") ||
        name.ends_with(".tar.zst") || name.ends_with(".tar.bz2") || name.ends_with(".zip"))
      throw file_error(sentence(path_in_quotes(given),
                                " is compressed, which is not read; unpack it to a plain tar or "
                                "a folder"));
    throw error(sentence("the data set ", path_in_quotes(given),
                         " is a file of no kind that is read; expected ", data_set_forms));
  }
  throw file_error(
      sentence("there is no data set ", path_in_quotes(given), "; expected ", data_set_forms));
}

}  // namespace effnet
