#pragma once

#include <string>
#include <string_view>

#include "experiments/verdict.hpp"
#include "html_page.hpp"

namespace example {

/// Claims with their verdicts, for a page.
class claim_table {
 public:
  /// With the experiment of each in front, where there are several.
  explicit claim_table(bool has_experiments) : has_experiments_(has_experiments) {
    rows_ = effnet::sentence("<div class=wide><table><tr>",
                             has_experiments ? "<th>experiment</th>" : "",
                             "<th>claim</th><th>published</th><th>measured here</th>"
                             "<th>verdict</th></tr>\n");
  }

  void add(std::string_view experiment, const claim& of) {
    rows_ += "<tr>";
    if (has_experiments_)
      rows_ += effnet::sentence("<td><a href=\"#", experiment, "\">", experiment, "</a></td>");
    for (const std::string* cell : {&of.sentence, &of.published, &of.measured})
      rows_ += "<td>" + escaped(*cell) + "</td>";
    const char* look = of.result == verdict::holds          ? " class=good"
                       : of.result == verdict::contradicted ? " class=bad"
                                                            : "";
    rows_ += effnet::sentence("<td", look, ">", text_of(of.result), "</td></tr>\n");
  }
  std::string html() const { return rows_ + "</table></div>\n"; }

 private:
  bool has_experiments_;
  std::string rows_;
};

}  // namespace example
