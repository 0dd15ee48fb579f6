#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <effnet/images.hpp>

#include "canvas.hpp"
#include "html_page.hpp"
#include "text_table.hpp"

namespace example {

/// Pictures with what a network sees in them, as one PNG or HTML file.
class picture_sheet {
 public:
  struct guess {
    std::string label;
    float probability = 0;
  };
  static constexpr int picture_side = 232;
  static constexpr std::size_t most_in_png = 120;  ///< a larger PNG is no longer looked at
  static constexpr std::size_t guesses_shown = 3;

  explicit picture_sheet(std::string title) : title_(std::move(title)) {}

  /// `jpeg`: a square picture of `picture_side` pixels; `guesses`: best first.
  void add(std::string file, std::vector<std::byte> jpeg, std::vector<guess> guesses) {
    guesses.resize(std::min(guesses.size(), guesses_shown));
    entries_.push_back({std::move(file), std::move(jpeg), std::move(guesses)});
  }

  std::size_t size() const { return entries_.size(); }

  void write(const std::string& path) const {
    path.ends_with(".png") ? effnet::write_png(path, drawn()) : page().write(path);
  }

 private:
  struct entry {
    std::string file;
    std::vector<std::byte> jpeg;
    std::vector<guess> guesses;
  };

  static std::string percent(float probability) {
    return fixed(100 * double{probability}, 1) + " %";
  }

  effnet::image drawn() const {
    constexpr int pad = 12, margin = 24, gap = 18, line = 27, header = 54;
    constexpr int card_width = picture_side + 2 * pad;
    constexpr int card_height = picture_side + 2 * pad + 22 + line * int{guesses_shown} + 2;
    constexpr color back{243, 244, 246}, card{255, 255, 255}, edge{221, 225, 230};
    constexpr color ink{28, 33, 40}, soft{112, 122, 136}, track{232, 235, 239}, bar{63, 111, 181};
    const int count = static_cast<int>(std::min(entries_.size(), most_in_png));
    const int columns =
        std::clamp(static_cast<int>(std::ceil(std::sqrt(1.6 * static_cast<double>(count)))), 1, 10);
    const int rows = std::max(1, (count + columns - 1) / columns);
    canvas sheet(2 * margin + columns * card_width + (columns - 1) * gap,
                 header + margin + rows * card_height + (rows - 1) * gap, back);
    const auto width = static_cast<float>(sheet.picture().width - 2 * margin);
    sheet.text(canvas::fitted(title_, 15, width), margin, 20, 15, ink, true);
    for (int i = 0; i < count; ++i) {
      const entry& shown = entries_[static_cast<std::size_t>(i)];
      const int left = margin + i % columns * (card_width + gap);
      const int top = header + i / columns * (card_height + gap);
      sheet.fill(left - 1, top - 1, card_width + 2, card_height + 2, edge);
      sheet.fill(left, top, card_width, card_height, card);
      sheet.paste(effnet::decode_image(shown.jpeg, shown.file), left + pad, top + pad);
      const auto x = static_cast<float>(left + pad);
      int y = top + 2 * pad + picture_side;
      sheet.text(canvas::fitted(shown.file, 8, picture_side), x, static_cast<float>(y - 2), 8,
                 soft);
      y += 18;
      for (std::size_t k = 0; k < shown.guesses.size(); ++k, y += line) {
        const guess& one = shown.guesses[k];
        const std::string share = percent(one.probability);
        const float share_width = canvas::text_width(share, 10);
        sheet.text(canvas::fitted(one.label, 10, picture_side - share_width - 10), x,
                   static_cast<float>(y), 10, k == 0 ? ink : soft, k == 0);
        sheet.text(share, x + picture_side - share_width + 2, static_cast<float>(y), 10,
                   k == 0 ? ink : soft, k == 0);
        const auto filled = static_cast<int>(std::lround(picture_side * double{one.probability}));
        sheet.fill(left + pad, y + 15, picture_side, 4, track);
        sheet.fill(left + pad, y + 15, filled, 4, bar);
      }
    }
    return std::move(sheet).picture();
  }

  html_page page() const {
    html_page page(title_);
    page.add("<div class=cards>\n");
    for (const entry& shown : entries_) {
      page.add("<figure><img alt=\"\" loading=lazy src=\"" + jpeg_address(shown.jpeg) +
               "\"><figcaption><div class=file title=\"" + escaped(shown.file) + "\">" +
               escaped(shown.file) + "</div>");
      for (const guess& one : shown.guesses)
        page.add(effnet::sentence("<div class=guess><span>", escaped(one.label), "</span><span>",
                                  percent(one.probability),
                                  "</span></div><div class=meter><i style=\"width:",
                                  fixed(100 * double{one.probability}, 1), "%\"></i></div>"));
      page.add("</figcaption></figure>\n");
    }
    page.add("</div>\n");
    return page;
  }

  std::string title_;
  std::vector<entry> entries_;
};

}  // namespace example
