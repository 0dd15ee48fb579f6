#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "accuracy.hpp"
#include "class_list.hpp"
#include "html_page.hpp"
#include "text_table.hpp"

namespace example {

/// The confusion matrix of the classes that the data have, as an SVG picture: a row for each true
/// class, a column for each predicted one, and one for predictions of any other class.
class confusion_chart {
 public:
  static constexpr std::size_t most_classes = 60;

  confusion_chart(const accuracy& results, const class_list& classes)
      : results_(results), classes_(classes) {
    for (const auto& [index, score] : results.by_class()) shown_.push_back(index);
    cell_ = std::clamp(720 / static_cast<int>(shown_.size() + 1), 13, 40);
  }

  std::string svg() const {
    using effnet::sentence;
    const int count = static_cast<int>(shown_.size()), columns = count + 1;
    const int width = names + columns * cell_ + slanted, height = names + count * cell_ + 4;
    std::string text = sentence("<svg width=", width, " height=", height, " viewBox=\"0 0 ", width,
                                " ", height, "\" role=img aria-label=\"confusion matrix\">\n");
    for (int i = 0; i < columns; ++i) {
      const int middle = names + i * cell_ + cell_ / 2;
      const std::string name = i < count ? short_name(i) : "any other";
      if (i < count)
        text += sentence("<text x=", names - 8, " y=", middle + 4, " text-anchor=end>", name,
                         "</text>\n");
      text += sentence("<text transform=\"translate(", middle + 4, ",", names - 8,
                       ") rotate(-60)\">", name, "</text>\n");
    }
    for (int row = 0; row < count; ++row)
      for (int column = 0; column < columns; ++column) text += cell(row, column);
    return text + "</svg>\n";
  }

 private:
  static constexpr int names = 150;   ///< pixels that they get, left and above
  static constexpr int slanted = 70;  ///< what those above need beside the last column

  std::string short_name(int i) const {
    std::string name = classes_.name(shown_[static_cast<std::size_t>(i)]);
    constexpr std::size_t longest = 20;
    if (name.size() > longest) name = name.substr(0, longest - 1) + "…";
    return escaped(name);
  }

  std::string cell(int row, int column) const {
    const int truth = shown_[static_cast<std::size_t>(row)];
    const std::size_t images = results_.by_class().at(truth).images;
    const bool other = column == static_cast<int>(shown_.size());
    std::size_t count = 0;
    if (other) {
      count = images;
      for (int predicted : shown_) count -= results_.count(truth, predicted);
    } else {
      count = results_.count(truth, shown_[static_cast<std::size_t>(column)]);
    }
    const double share = static_cast<double>(count) / static_cast<double>(images);
    const std::string predicted =
        other ? "any other class" : classes_.name(shown_[static_cast<std::size_t>(column)]);
    const int x = names + column * cell_ + (other ? 4 : 0), y = names + row * cell_;
    std::string text = effnet::sentence(
        "<g><title>", escaped(classes_.name(truth)), " taken for ", escaped(predicted), ": ", count,
        " of ", images, "</title><rect x=", x, " y=", y, " width=", cell_ - 1,
        " height=", cell_ - 1, " rx=2 fill=\"var(--line)\" fill-opacity=.35 />");
    if (count > 0)
      text += effnet::sentence("<rect x=", x, " y=", y, " width=", cell_ - 1, " height=", cell_ - 1,
                               " rx=2 fill=\"var(", row == column ? "--good" : "--bad",
                               ")\" fill-opacity=", fixed(0.18 + 0.82 * share, 3), " />");
    if (count > 0 && cell_ >= 26)
      text += effnet::sentence("<text x=", x + cell_ / 2, " y=", y + cell_ / 2 + 4,
                               " text-anchor=middle", share > 0.45 ? " style=\"fill:#fff\"" : "",
                               ">", count, "</text>");
    return text + "</g>\n";
  }

  const accuracy& results_;
  const class_list& classes_;
  std::vector<int> shown_;
  int cell_;
};

}  // namespace example
