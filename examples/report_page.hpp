#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "accuracy.hpp"
#include "class_list.hpp"
#include "confusion_chart.hpp"
#include "html_page.hpp"
#include "text_table.hpp"

namespace example {

/// A mistake to look at.
struct shown_mistake {
  std::string file;
  std::vector<std::byte> jpeg;
  verdict judged;
};

/// What a report says about the run as a whole.
struct report_facts {
  std::string title, how;  ///< `how`: a sentence on data, weights and preparation
  double images_per_second = 0;
  std::size_t unreadable = 0;
};

namespace detail {

inline std::string meter(double percent) {
  return effnet::sentence("<div class=meter><i style=\"width:", fixed(percent, 1),
                          "%\"></i></div>");
}

inline void add_class_table(html_page& page, std::string_view title, const class_list& classes,
                            std::span<const std::pair<int, accuracy::score>> scores) {
  page.add(
      effnet::sentence("<div><h2>", escaped(title),
                       "</h2><table><tr><th>class<th class=n>images<th class=n>top-1<th></tr>\n"));
  for (const auto& [index, score] : scores)
    page.add(effnet::sentence("<tr><td>", escaped(classes.name(index)), "<td class=n>",
                              score.images, "<td class=n>", fixed(score.percent(score.top1), 1),
                              " %<td>", meter(score.percent(score.top1)), "</tr>\n"));
  page.add("</table></div>\n");
}

inline void add_confusions(html_page& page, const accuracy& results, const class_list& classes) {
  constexpr std::size_t most = 25;
  std::vector<accuracy::confusion> pairs = results.confusions();
  if (pairs.empty()) return;
  pairs.resize(std::min(pairs.size(), most));
  page.add(
      "<div><h2>Most confused</h2><table><tr><th>is<th>was taken for<th class=n>times"
      "<th class=n>of</tr>\n");
  for (const accuracy::confusion& pair : pairs)
    page.add(effnet::sentence("<tr><td>", escaped(classes.name(pair.truth)), "<td>",
                              escaped(classes.name(pair.predicted)), "<td class=n>", pair.count,
                              "<td class=n>", results.by_class().at(pair.truth).images, "</tr>\n"));
  page.add("</table></div>\n");
}

inline void add_mistakes(html_page& page, const class_list& classes,
                         std::span<const shown_mistake> mistakes) {
  if (mistakes.empty()) return;
  page.add(
      "<h2>Worst mistakes</h2><p>Those where the wrong class led the right one by most.</p><div "
      "class=cards>\n");
  const auto line = [&](const char* kind, int index, float probability) {
    page.add(effnet::sentence("<div class=guess><span class=", kind, ">",
                              escaped(classes.name(index)), "</span><span>",
                              fixed(100 * double{probability}, 1), " %</span></div>"));
  };
  for (const shown_mistake& m : mistakes) {
    page.add(effnet::sentence("<figure><img alt=\"\" loading=lazy src=\"", jpeg_address(m.jpeg),
                              "\"><figcaption><div class=file title=\"", escaped(m.file), "\">",
                              escaped(m.file), "</div>"));
    line("bad", m.judged.predicted, m.judged.probability);
    line("good", m.judged.truth, m.judged.truth_probability);
    page.add("</figcaption></figure>\n");
  }
  page.add("</div>\n");
}

}  // namespace detail

/// Confusion matrix, weakest classes and worst mistakes.
inline void add_results(html_page& page, const accuracy& results, const class_list& classes,
                        std::span<const shown_mistake> mistakes) {
  std::vector<std::pair<int, accuracy::score>> scores(results.by_class().begin(),
                                                      results.by_class().end());
  if (scores.size() <= confusion_chart::most_classes) {
    page.add(
        "<h2>Confusion matrix</h2><p>Rows: the true class. Columns: what it was taken for.</p>"
        "<div class=wide>" +
        confusion_chart(results, classes).svg() + "</div>\n");
  }
  std::ranges::stable_sort(
      scores, {}, [](const auto& entry) { return entry.second.percent(entry.second.top1); });
  const std::size_t most = std::min<std::size_t>(25, scores.size());
  page.add("<div class=columns>\n");
  detail::add_confusions(page, results, classes);
  const bool all = scores.size() <= confusion_chart::most_classes;
  if (scores.size() < results.total().images)  // of one picture a class it would say nothing
    detail::add_class_table(page, all ? "Classes, weakest first" : "Weakest classes", classes,
                            std::span(scores).first(all ? scores.size() : most));
  page.add("</div>\n");
  detail::add_mistakes(page, classes, mistakes);
}

/// The page that `evaluate --report` writes.
inline html_page report_page(const report_facts& facts, const accuracy& results,
                             const class_list& classes, std::span<const shown_mistake> mistakes) {
  html_page page(facts.title);
  page.add("<p>" + escaped(facts.how) + "</p>\n<div class=tiles>\n");
  const accuracy::score& total = results.total();
  page.tile(fixed(total.percent(total.top1), 1) + " %", "top-1");
  page.tile(fixed(total.percent(total.top5), 1) + " %", "top-5");
  page.tile(grouped(static_cast<std::int64_t>(total.images)), "images");
  page.tile(grouped(static_cast<std::int64_t>(results.by_class().size())), "classes");
  page.tile(fixed(facts.images_per_second, 1), "images/s");
  if (facts.unreadable > 0)
    page.tile(grouped(static_cast<std::int64_t>(facts.unreadable)), "unreadable, not counted");
  page.add("</div>\n");
  add_results(page, results, classes, mistakes);
  return page;
}

}  // namespace example
