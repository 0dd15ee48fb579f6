#pragma once

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <effnet/data/image_files.hpp>

namespace effnet::detail {

/// The names of what lies in a folder, sorted by their bytes, since systems list in any order.
/// Hidden ones are left out.
inline std::vector<std::string> sorted_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const std::filesystem::directory_entry& found : std::filesystem::directory_iterator(folder))
    if (std::string name = found.path().filename().string(); !name.starts_with('.'))
      names.push_back(std::move(name));
  std::ranges::sort(names);
  return names;
}

/// Whether a name is that of a part of a data set, not of a class in it.
inline bool is_part_name(std::string_view name) {
  constexpr std::string_view parts[] = {"train",      "training", "val",    "valid",
                                        "validation", "test",     "testing"};
  return std::ranges::find(parts, lower_case(name)) != std::end(parts);
}

/// The .tar files in a folder, sorted.
inline std::vector<std::string> tar_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code gone;
  for (std::string& name : sorted_names(folder))
    if (lower_case(name).ends_with(".tar") && std::filesystem::is_regular_file(folder / name, gone))
      names.push_back(std::move(name));
  return names;
}

}  // namespace effnet::detail
