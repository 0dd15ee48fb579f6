#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace example {

/// Rows of text in aligned columns under a heading.
class text_table {
 public:
  enum class side { left, right };

  void column(std::string title, side align = side::right) {
    columns_.push_back({characters(title), align});
    titles_.push_back(std::move(title));
  }
  void row(std::vector<std::string> cells) {
    cells.resize(columns_.size());
    for (std::size_t i = 0; i < cells.size(); ++i)
      columns_[i].width = std::max(columns_[i].width, characters(cells[i]));
    rows_.push_back(std::move(cells));
  }

  const std::vector<std::string>& titles() const { return titles_; }
  const std::vector<std::vector<std::string>>& rows() const { return rows_; }
  side alignment(std::size_t column) const { return columns_[column].align; }

  std::string text() const {
    std::string all = line(titles_);
    all += std::string(all.size() - 1, '-') + "\n";
    for (const std::vector<std::string>& cells : rows_) all += line(cells);
    return all;
  }

 private:
  struct layout {
    std::size_t width;
    side align;
  };

  /// Of UTF-8: all bytes but those that continue a character.
  static std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
  }

  std::string line(const std::vector<std::string>& cells) const {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string gap(columns_[i].width - characters(cells[i]), ' ');
      if (i > 0) text += "  ";
      text += columns_[i].align == side::right ? gap + cells[i] : cells[i] + gap;
    }
    return text + "\n";
  }

  std::vector<layout> columns_;
  std::vector<std::string> titles_;
  std::vector<std::vector<std::string>> rows_;
};

/// 21458488 as "21,458,488".
inline std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

/// `value` with `decimals` digits after the point.
inline std::string fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

/// Bytes as "12.3 MB", in units of 1000.
inline std::string megabytes(std::int64_t bytes) {
  return fixed(static_cast<double>(bytes) / 1e6, bytes < 9'950'000 ? 2 : 1) + " MB";
}

}  // namespace example
