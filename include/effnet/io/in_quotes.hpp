#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace effnet {

/// Text from a file that nobody vouches for, in quotes for a message: without control characters
/// (a terminal would obey them) and not longer than a line.
inline std::string in_quotes(std::string_view text, std::size_t longest = 100) {
  std::string safe = "'";
  std::size_t length = text.size() < longest ? text.size() : longest;
  while (length > 0 && length < text.size() &&
         (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80)
    --length;  // not in the middle of a character
  for (char c : text.substr(0, length)) {
    const auto code = static_cast<unsigned char>(c);
    safe += code < 0x20 || code == 0x7F ? '?' : c;
  }
  if (length < text.size()) safe += "...";
  return safe + "'";
}

/// The same for the path of a file, which is shown whole.
inline std::string path_in_quotes(std::string_view path) {
  return in_quotes(path, path.size());
}

}  // namespace effnet
