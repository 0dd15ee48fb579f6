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
inline std::string name_of(const scaling_record::point& at) {
  constexpr const char* single[] = {"depth alone", "width alone", "resolution alone"};
  if (at.phi == 0) return "base";
  return at.constants < 3 ? single[at.constants] : "compound";
}

/// The networks that were trained, best first within each phi.
inline text_table trained_table(const scaling_record& record) {
  text_table table;
  table.column("scaled", text_table::side::left);
  for (const char* title : {"phi", "alpha", "beta", "gamma", "size", "parameters", "MACs (M)",
                            "x base", "seeds", "top-1 %", "+-"})
    table.column(title);
  std::vector<std::pair<scaling_record::point, effnet::mean_and_error>> order;
  for (const auto& [point, seeds] : record.done) order.emplace_back(point, record.accuracy(point));
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first.phi != b.first.phi ? a.first.phi < b.first.phi : a.second.mean > b.second.mean;
  });
  const auto macs = [](const effnet::network_spec& spec) {
    return static_cast<double>(effnet::count_macs(spec, spec.eval_size));
  };
  const std::vector<effnet::compound_constants> grid = record.grid();
  for (const auto& [point, top1] : order) {
    const scaling_record::point at = point;  // a lambda takes no structured binding yet
    const effnet::network_spec spec = record.network(at);
    const effnet::compound_constants& by = grid.at(at.constants);
    const auto constant = [&](double value) { return at.phi == 0 ? "" : fixed(value, 3); };
    const std::size_t seeds = record.trainings(at);
    table.row({name_of(at), std::to_string(at.phi), constant(by.alpha), constant(by.beta),
               constant(by.gamma), std::to_string(spec.eval_size),
               grouped(effnet::count_parameters(spec)), fixed(macs(spec) / 1e6, 2),
               fixed(macs(spec) / macs(record.base), 2), std::to_string(seeds),
               fixed(100 * top1.mean, 2), seeds > 1 ? fixed(100 * top1.error, 2) : ""});
  }
  return table;
}

/// The family that the constants make, up to `most_phi`, of the base as it was trained.
inline scaled_family family_of(const scaling_record& record, int most_phi) {
  return scaled_family(
      record.base,
      {.constants = record.grid().at(record.best()), .most_size = 1 << 20, .late_depth = 1},
      most_phi);
}

/// Accuracy over multiply-adds: each dimension alone, and the constants that were found.
inline line_chart scaling_chart(const scaling_record& record) {
  line_chart chart("Scaling one dimension, and all three", {.title = "million MACs", .least = 0},
                   {.title = "top-1", .unit = chart_unit::percent});
  const std::pair<const char*, std::size_t> lines[] = {
      {"depth", 0}, {"width", 1}, {"resolution", 2}, {"found", record.best()}};
  int color = 0;
  for (const auto& [name, constants] : lines) {
    chart_line line{.name = name, .points = {}, .color = color++, .look = chart_line::form::dotted};
    for (int phi = 0; phi <= record.trained_phi; ++phi) {
      const scaling_record::point at{phi == 0 ? 0 : constants, phi};
      if (record.trainings(at) == 0) continue;
      const effnet::network_spec spec = record.network(at);
      line.points.push_back({static_cast<double>(effnet::count_macs(spec, spec.eval_size)) / 1e6,
                             100 * record.accuracy(at).mean});
    }
    chart.add(std::move(line));
  }
  return chart;
}

/// A section about a grid search for compound constants.
inline void add_scaling_report(html_page& page, const scaling_record& record) {
  const effnet::compound_constants best = record.grid().at(record.best());
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
