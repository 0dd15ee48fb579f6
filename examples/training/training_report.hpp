#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/train/progressive.hpp>

#include "accuracy.hpp"
#include "class_list.hpp"
#include "html_table.hpp"
#include "line_chart.hpp"
#include "report_page.hpp"
#include "terminal_line.hpp"
#include "training/training_log.hpp"

namespace example {

/// Some training pictures of a stage as the network saw them.
struct shown_batch {
  std::string title;
  std::vector<std::vector<std::byte>> jpegs;
};

/// What the page about a training run shows besides its log.
struct training_report {
  std::string title, how;
  effnet::progressive_schedule schedule;
  text_table schedule_table, memory_table;
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<shown_batch> batches;
  std::vector<std::string> warnings;

  html_page page(const logged_rows& log, const accuracy& results, const class_list& classes,
                 const std::vector<shown_mistake>& mistakes) const;
};

namespace detail {

/// One chart over steps and one over time want the same lines.
enum class chart_over { steps, time };

class run_charts {
 public:
  run_charts(const effnet::progressive_schedule& schedule, const logged_rows& log)
      : schedule_(schedule), log_(log) {}

  line_chart progress(chart_over over) const {
    line_chart chart(
        over == chart_over::steps ? "Loss and accuracy over steps" : "Loss and accuracy over time",
        below(over), {.title = "loss", .least = 0},
        {.title = "top-1", .unit = chart_unit::percent});
    add_bands(chart, over);
    chart_line every{.name = {}, .points = {}, .color = 0, .look = chart_line::form::faint};
    chart_line smooth{.name = "training loss", .points = {}, .color = 0};
    const double keep = 1 - 1 / std::clamp(static_cast<double>(log_.steps.size()) / 20, 1.0, 50.0);
    double mean = 0, weight = 0;
    for (const logged_step& row : log_.steps) {
      mean = keep * mean + (1 - keep) * row.loss;
      weight = keep * weight + (1 - keep);
      every.points.push_back({at(over, row), row.loss});
      smooth.points.push_back({at(over, row), mean / weight});
    }
    chart_line loss{"validation loss", {}, 4, chart_line::form::dotted};
    chart_line top1{"validation top-1", {}, 1, chart_line::form::dotted, true};
    for (const logged_evaluation& row : log_.evaluations) {
      loss.points.push_back({at(over, row), row.loss});
      top1.points.push_back({at(over, row), row.top1});
    }
    for (chart_line* line : {&every, &smooth, &loss, &top1}) chart.add(std::move(*line));
    return chart;
  }

  line_chart size() const {
    line_chart chart("Image size and RandAugment", below(chart_over::steps),
                     {.title = "pixels", .least = 0}, {.title = "magnitude", .least = 0});
    chart.add(stepped("image size", 0, [](const effnet::training_stage& s) { return s.size; }));
    chart_line magnitude = stepped("RandAugment", 1, &effnet::training_stage::rand_augment);
    magnitude.on_right = true;
    if (ever(&effnet::training_stage::rand_augment)) chart.add(std::move(magnitude));
    return chart;
  }

  line_chart regularization() const {
    line_chart chart("Regularization", below(chart_over::steps), {.title = "", .least = 0});
    const auto add = [&](const char* name, int color, float effnet::training_stage::*property) {
      if (ever(property)) chart.add(stepped(name, color, property));
    };
    add("dropout", 0, &effnet::training_stage::dropout);
    add("depth drop", 1, &effnet::training_stage::stochastic_depth);
    add("mixup", 2, &effnet::training_stage::mixup);
    add("cutmix", 3, &effnet::training_stage::cutmix);
    add("erasing", 4, &effnet::training_stage::random_erasing);
    return chart;
  }

  line_chart learning_rate() const {
    line_chart chart("Learning rate", below(chart_over::steps), {.title = "", .least = 0});
    add_bands(chart, chart_over::steps);
    chart.add(logged("", 2, &logged_step::learning_rate));
    return chart;
  }

  line_chart gradients() const {
    line_chart chart("Gradient norm", below(chart_over::steps),
                     {.title = "", .unit = chart_unit::logarithmic});
    add_bands(chart, chart_over::steps);
    chart.add(logged("", 3, &logged_step::gradient_norm));
    return chart;
  }

  line_chart speed() const {
    line_chart chart("Speed", below(chart_over::steps), {.title = "", .least = 0},
                     {.title = "", .unit = chart_unit::percent, .least = 0, .most = 100});
    add_bands(chart, chart_over::steps);
    chart.add(logged("images/s", 0, &logged_step::images_per_second));
    chart_line waited{.name = "waiting for data", .points = {}, .color = 4};
    waited.on_right = true;
    for (const logged_step& row : log_.steps)
      waited.points.push_back({static_cast<double>(row.step), 100 * row.waited});
    chart.add(std::move(waited));
    return chart;
  }

 private:
  static chart_axis below(chart_over over) {
    return over == chart_over::steps
               ? chart_axis{.title = "step"}
               : chart_axis{.title = "time", .unit = chart_unit::seconds, .least = 0};
  }
  template <class Row>
  static double at(chart_over over, const Row& row) {
    return over == chart_over::steps ? static_cast<double>(row.step) : row.seconds;
  }

  bool in_turn() const {
    return schedule_.stages.size() > 1 &&
           (schedule_.mode == effnet::progressive_mode::progressive ||
            schedule_.mode == effnet::progressive_mode::resize_only);
  }
  void add_bands(line_chart& chart, chart_over over) const {
    if (!in_turn() || log_.steps.empty()) return;
    double from = 0;
    const std::int64_t reached = log_.steps.back().step;
    std::int64_t begun = 0;
    for (std::size_t i = 0; i < schedule_.stages.size() && begun < reached; ++i) {
      begun = std::min(reached, schedule_.end_of(i));
      const auto row = std::ranges::lower_bound(log_.steps, begun, {}, &logged_step::step);
      const double to = over == chart_over::steps ? static_cast<double>(begun) : row->seconds;
      chart.add_band(from, to, effnet::sentence(schedule_.stages[i].size, " px"));
      from = to;
    }
  }

  template <class Property>
  chart_line stepped(const char* name, int color, Property property) const {
    chart_line line{.name = name, .points = {}, .color = color, .look = chart_line::form::steps};
    const std::int64_t stride =
        in_turn() ? 1 : std::max<std::int64_t>(1, schedule_.total_steps / 200);
    double before = -1;
    for (std::int64_t step = 0; step < schedule_.total_steps; step += stride) {
      const effnet::training_stage stage = schedule_.at(step);
      const auto value = static_cast<double>(std::invoke(property, stage));
      if (value != before || step + stride >= schedule_.total_steps)
        line.points.push_back({static_cast<double>(step), value});
      before = value;
    }
    return line;
  }
  bool ever(float effnet::training_stage::*property) const {
    return std::ranges::any_of(schedule_.stages,
                               [&](const effnet::training_stage& s) { return s.*property > 0; });
  }

  chart_line logged(const char* name, int color, double logged_step::*value) const {
    chart_line line{.name = name, .points = {}, .color = color};
    for (const logged_step& row : log_.steps)
      line.points.push_back({static_cast<double>(row.step), row.*value});
    return line;
  }

  const effnet::progressive_schedule& schedule_;
  const logged_rows& log_;
};

inline void add_tiles(html_page& page, const logged_rows& log) {
  page.add("<div class=tiles>\n");
  if (!log.evaluations.empty()) {
    const auto best = std::ranges::max_element(log.evaluations, {}, &logged_evaluation::top1);
    page.tile(fixed(log.evaluations.back().top1, 1) + " %", "top-1 at the end");
    page.tile(fixed(best->top1, 1) + " %", effnet::sentence("best top-1, step ", best->step));
    page.tile(fixed(log.evaluations.back().top5, 1) + " %", "top-5 at the end");
  }
  if (!log.steps.empty()) {
    page.tile(fixed(log.steps.back().epoch, 1), "epochs");
    page.tile(grouped(log.steps.back().step), "steps");
  }
  page.tile(clock_text(log.seconds()), "time");
  page.add("</div>\n");
}

inline void add_batches(html_page& page, const std::vector<shown_batch>& batches) {
  if (batches.empty()) return;
  page.add("<h2>What the network saw</h2>");
  for (const shown_batch& batch : batches) {
    page.add("<p>" + escaped(batch.title) + "</p><div class=batch>\n");
    for (const std::vector<std::byte>& jpeg : batch.jpegs)
      page.add("<img alt=\"\" loading=lazy src=\"" + jpeg_address(jpeg) + "\">\n");
    page.add("</div>\n");
  }
}

}  // namespace detail

inline html_page training_report::page(const logged_rows& log, const accuracy& results,
                                       const class_list& classes,
                                       const std::vector<shown_mistake>& mistakes) const {
  html_page page(title);
  page.add("<p>" + escaped(how) + "</p>\n");
  detail::add_tiles(page, log);
  const detail::run_charts charts(schedule, log);
  page.add("<h2>Training</h2><div class=charts>\n");
  for (const line_chart& chart :
       {charts.progress(detail::chart_over::steps), charts.progress(detail::chart_over::time),
        charts.size(), charts.regularization(), charts.learning_rate(), charts.gradients(),
        charts.speed()})
    if (!chart.empty()) page.add(chart.svg());
  page.add("</div>\n<h2>Schedule</h2>" + html_table(schedule_table));
  detail::add_batches(page, batches);
  if (results.total().images > 0) add_results(page, results, classes, mistakes);
  page.add("<h2>Memory, as planned before the first step</h2>" + html_table(memory_table));
  text_table all;
  all.column("setting", text_table::side::left);
  all.column("value", text_table::side::left);
  for (const auto& [name, value] : settings) all.row({name, value});
  page.add("<h2>Settings</h2>" + html_table(all));
  if (!warnings.empty()) page.add("<h2>Warnings</h2>");
  for (const std::string& warning : warnings) page.add("<p>" + escaped(warning) + "</p>\n");
  return page;
}

}  // namespace example
