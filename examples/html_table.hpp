#pragma once

#include <cstddef>
#include <string>

#include "html_page.hpp"
#include "text_table.hpp"

namespace example {

/// The same table for a page.
inline std::string html_table(const text_table& table) {
  std::string html = "<div class=wide><table><tr>";
  const auto cell = [&](const char* tag, std::size_t column, const std::string& text) {
    const bool right = table.alignment(column) == text_table::side::right;
    html += effnet::sentence("<", tag, right ? " class=n>" : ">", escaped(text));
  };
  for (std::size_t i = 0; i < table.titles().size(); ++i) cell("th", i, table.titles()[i]);
  for (const auto& row : table.rows()) {
    html += "</tr>\n<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) cell("td", i, row[i]);
  }
  return html + "</tr></table></div>\n";
}

}  // namespace example
