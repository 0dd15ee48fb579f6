#pragma once

#include <filesystem>
#include <system_error>

#include <effnet/core/error.hpp>
#include <effnet/io/in_quotes.hpp>

namespace example {

/// Makes a folder, and those above it, unless it is there. Throws `effnet::file_error`.
inline void make_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure)
    throw effnet::file_error(effnet::sentence("cannot make the folder ",
                                              effnet::path_in_quotes(folder.string()), ": ",
                                              failure.message()));
}

}  // namespace example
