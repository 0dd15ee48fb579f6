#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/core/file_mapping.hpp>
#include <effnet/io/in_quotes.hpp>

namespace effnet {

/// The lines of a text file, without their ends (LF or CR LF), a byte order mark, and empty lines
/// at the end. Throws `file_error` where it cannot be read or is no text.
inline std::vector<std::string> text_lines(const std::string& path) {
  const file_mapping file = map_file(path);
  std::string_view text(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
  if (text.find('\0') != text.npos)
    throw file_error(sentence(path_in_quotes(path), " is no text: it has zero bytes"));
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace effnet
