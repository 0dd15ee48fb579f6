#pragma once

#include <string>
#include <utility>
#include <vector>

#include "experiments/outcome.hpp"
#include "line_chart.hpp"

namespace example {

/// What a curve runs over.
enum class over { epochs, seconds };

/// Accuracy in the course of training, the mean of the seeds.
inline chart_line accuracy_curve(const outcomes& all, const std::string& name, over what,
                                 int color) {
  chart_line line{.name = name, .points = {}, .color = color, .look = chart_line::form::dotted};
  const auto& seeds = all.of(name);
  if (seeds.empty()) return line;
  const std::size_t count = seeds.begin()->second.rows.evaluations.size();
  for (std::size_t i = 0; i < count; ++i) {
    chart_point mean;
    std::size_t found = 0;
    for (const auto& [seed, one] : seeds) {
      if (i >= one.rows.evaluations.size()) continue;
      const logged_evaluation& row = one.rows.evaluations[i];
      mean.x += what == over::epochs ? row.epoch : row.seconds, mean.y += row.top1;
      ++found;
    }
    line.points.push_back(
        {mean.x / static_cast<double>(found), mean.y / static_cast<double>(found)});
  }
  return line;
}

/// Marks the stages of progressive learning, as the first seed had them.
inline void add_stage_bands(line_chart& chart, const outcomes& all, const std::string& name,
                            over what) {
  const auto& seeds = all.of(name);
  if (seeds.empty()) return;
  double from = 0, last = 0;
  int size = 0;
  for (const logged_step& row : seeds.begin()->second.rows.steps) {
    if (size != 0 && row.size != size)
      chart.add_band(from, last, effnet::sentence(size, " px")), from = last;
    size = row.size, last = what == over::epochs ? row.epoch : row.seconds;
  }
  if (last > from) chart.add_band(from, last, effnet::sentence(size, " px"));
}

}  // namespace example
