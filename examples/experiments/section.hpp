#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "experiments/claim_table.hpp"
#include "experiments/verdict.hpp"
#include "html_table.hpp"
#include "line_chart.hpp"
#include "text_table.hpp"

namespace example {

/// What a report says about an experiment: tables, figures and what became of its claims.
class section {
 public:
  void add(std::string heading, text_table table) {
    parts_.emplace_back(titled_table{std::move(heading), std::move(table)});
  }
  /// Left out while there is nothing to draw.
  void add(line_chart chart) {
    if (!chart.empty()) parts_.emplace_back(std::move(chart));
  }
  void add(claim of) { claims_.push_back(std::move(of)); }
  void remark(std::string sentence) { remarks_.push_back(std::move(sentence)); }

  const std::vector<claim>& claims() const { return claims_; }
  /// The figures, in their order.
  std::vector<line_chart> charts() const {
    std::vector<line_chart> all;
    for (const part& one : parts_)
      if (const auto* chart = std::get_if<line_chart>(&one)) all.push_back(*chart);
    return all;
  }
  /// All has been run: what still has no number is lost in noise.
  void is_whole() {
    for (claim& one : claims_)
      if (one.result == verdict::missing)
        one.result = verdict::not_resolved, one.measured = "lost in noise";
  }

  std::string tables_text() const {
    std::string all;
    for (const part& one : parts_)
      if (const auto* table = std::get_if<titled_table>(&one))
        all += effnet::sentence(table->heading, "\n\n", table->table.text(), "\n");
    return all;
  }
  std::string text() const {
    std::string all = tables_text();
    for (const claim& one : claims_)
      all += effnet::sentence(text_of(one.result), ": ", one.sentence,
                              one.measured.empty() ? "" : " (" + one.measured + ")", "\n");
    for (const std::string& one : remarks_) all += one + "\n";
    return all;
  }
  std::string html() const {
    std::string all;
    bool in_charts = false;
    const auto charts = [&](bool wanted) {
      if (wanted != std::exchange(in_charts, wanted))
        all += wanted ? "<div class=charts>\n" : "</div>\n";
    };
    for (const part& one : parts_) {
      charts(std::holds_alternative<line_chart>(one));
      if (const auto* chart = std::get_if<line_chart>(&one)) {
        all += chart->svg();
        continue;
      }
      const auto& table = std::get<titled_table>(one);
      all += "<h3>" + escaped(table.heading) + "</h3>\n" + html_table(table.table);
    }
    charts(false);
    claim_table claims(false);
    for (const claim& one : claims_) claims.add("", one);
    if (!claims_.empty()) all += claims.html();
    for (const std::string& one : remarks_) all += "<p>" + escaped(one) + "</p>\n";
    return all;
  }

 private:
  struct titled_table {
    std::string heading;
    text_table table;
  };
  using part = std::variant<titled_table, line_chart>;

  std::vector<part> parts_;
  std::vector<claim> claims_;
  std::vector<std::string> remarks_;
};

}  // namespace example
