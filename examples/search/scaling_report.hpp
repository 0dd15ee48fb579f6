#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "html_table.hpp"
#include "line_chart.hpp"
#include "search/scaled_family.hpp"
#include "search/scaling_record.hpp"

namespace example {

/// What a network of a grid search is called.
inline std::string name_of(const scaling_point& at) {
  if (at.phi == 0) return "base";
  const effnet::compound_constants& by = at.constants;
  if (by.beta == 1 && by.gamma == 1) return "depth alone";
  if (by.alpha == 1 && by.gamma == 1) return "width alone";
  if (by.alpha == 1 && by.beta == 1) return "resolution alone";
  return "compound";
}

/// The networks that were trained, best first within each phi.
inline text_table trained_table(const scaling_record& record) {
  using enum text_table::side;
  text_table table;
  table.column("scaled", left);
  for (const char* title : {"phi", "alpha", "beta", "gamma", "a b^2 g^2", "size", "parameters",
                            "MACs (M)", "x base", "seeds", "top-1 %", "+-"})
    table.column(title);
  std::vector<scaling_point> points;
  for (const scaling_record::training& one : record.done)
    if (std::find(points.begin(), points.end(), one.of) == points.end()) points.push_back(one.of);
  const auto mean = [&](const scaling_point& at) {
    return effnet::mean_and_error(record.accuracies(at)).mean;
  };
  std::stable_sort(points.begin(), points.end(), [&](const auto& a, const auto& b) {
    return a.phi != b.phi ? a.phi < b.phi : mean(a) > mean(b);
  });
  const auto macs = [](const effnet::network_spec& spec) {
    return static_cast<double>(effnet::count_macs(spec, spec.eval_size));
  };
  for (const scaling_point& at : points) {
    const effnet::network_spec spec = record.network(at);
    const std::vector<double> seeds = record.accuracies(at);
    const effnet::mean_and_error of(seeds);
    const bool is_base = at.phi == 0;
    table.row({name_of(at), std::to_string(at.phi), is_base ? "" : fixed(at.constants.alpha, 3),
               is_base ? "" : fixed(at.constants.beta, 3),
               is_base ? "" : fixed(at.constants.gamma, 3),
               is_base ? "" : fixed(at.constants.flops_ratio(), 3), std::to_string(spec.eval_size),
               grouped(effnet::count_parameters(spec)), fixed(macs(spec) / 1e6, 2),
               fixed(macs(spec) / macs(record.base), 2), std::to_string(seeds.size()),
               fixed(100 * of.mean, 2), seeds.size() > 1 ? fixed(100 * of.error, 2) : ""});
  }
  return table;
}

/// The family that the constants make, up to `most_phi`, of the base as it was trained.
inline scaled_family family_of(const scaling_record& record, int most_phi) {
  return scaled_family(
      record.base, {.constants = record.best(), .most_size = 1 << 20, .late_depth = 1}, most_phi);
}

/// Accuracy over multiply-adds: each dimension alone, and the constants that were found.
inline line_chart scaling_chart(const scaling_record& record) {
  line_chart chart("Scaling one dimension, and all three", {.title = "million MACs", .least = 0},
                   {.title = "top-1", .unit = chart_unit::percent});
  const std::vector<effnet::compound_constants> grid = record.grid();
  const std::vector<std::pair<const char*, effnet::compound_constants>> lines = {
      {"depth", grid[0]}, {"width", grid[1]}, {"resolution", grid[2]}, {"found", record.best()}};
  int color = 0;
  for (const auto& [name, constants] : lines) {
    chart_line line{.name = name, .points = {}, .color = color++, .look = chart_line::form::dotted};
    for (int phi = 0; phi <= record.trained_phi; ++phi) {
      const scaling_point at{phi == 0 ? effnet::compound_constants{} : constants, phi};
      const std::vector<double> of = record.accuracies(at);
      if (of.empty()) continue;
      const effnet::network_spec spec = record.network(at);
      line.points.push_back({static_cast<double>(effnet::count_macs(spec, spec.eval_size)) / 1e6,
                             100 * effnet::mean_and_error(of).mean});
    }
    chart.add(std::move(line));
  }
  return chart;
}

/// A section about a grid search for compound constants.
inline void add_scaling_report(html_page& page, const scaling_record& record) {
  const effnet::compound_constants best = record.best();
  page.add("<p>" +
           escaped(effnet::sentence("Compound scaling of ", std::string_view(record.base.name),
                                    " at ", record.base.eval_size, " pixels, trained on ",
                                    record.how.data, " for ", record.how.epochs,
                                    " epochs; a grid of alpha beta^2 gamma^2 = 2.")) +
           "</p>\n<div class=tiles>\n");
  page.tile(fixed(best.alpha, 2), "alpha (depth)");
  page.tile(fixed(best.beta, 2), "beta (width)");
  page.tile(fixed(best.gamma, 2), "gamma (resolution)");
  page.add("</div>\n");
  page.add("<p>Published for EfficientNet-B0: 1.2, 1.1, 1.15.</p>\n");
  if (const line_chart chart = scaling_chart(record); !chart.empty())
    page.add("<div class=charts>\n" + chart.svg() + "</div>\n");
  page.add("<h2>Trained networks</h2>" + html_table(trained_table(record)));
  const scaled_family family = family_of(record, 7);
  page.add("<h2>The family</h2>" + html_table(family.table()));
  page.add("<h2>The family as C++</h2><pre>" + escaped(family.code()) + "</pre>\n");
}

}  // namespace example
