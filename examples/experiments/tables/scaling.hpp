#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "experiments/experiment.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/full_scale_recipe.hpp"
#include "experiments/tables/scaling_steps.hpp"

namespace example {

namespace detail {

/// Accuracy over multiply-adds.
inline line_chart scaling_chart(const scale& at, const outcomes& all, const char* title,
                                const std::vector<scaling_series>& figure) {
  line_chart chart(title, {.title = "MACs", .unit = chart_unit::logarithmic},
                   {.title = "top-1", .unit = chart_unit::percent});
  for (int color = 0; const scaling_series& of : figure) {
    chart_line line{
        .name = of.name, .points = {}, .color = color++, .look = chart_line::form::dotted};
    for (const scaling_step& one : of.steps) {
      const effnet::network_spec spec = scaled_b0(at, one);
      if (const auto top1 = cells::mean(all.top1(one.name())))
        line.points.push_back({double(effnet::count_macs(spec, spec.eval_size)), *top1});
    }
    chart.add(line);
  }
  return chart;
}

}  // namespace detail

/// EfficientNet, figures 4 and 8 with table 7: ways to scale B0 up. EfficientNetV2, section 3.3:
/// ways to scale V2-S up.
inline experiment scaling_experiment(const scale& at) {
  const std::vector<scaling_series> ways = ways_to_scale(), baselines = width_on_baselines();
  std::vector<scaling_step> steps;  // each once: the figures share some
  for (const std::vector<scaling_series>* figure : {&ways, &baselines})
    for (const scaling_series& line : *figure)
      for (const scaling_step& of : line.steps)
        if (std::ranges::find(steps, of.name(), &scaling_step::name) == steps.end())
          steps.push_back(of);
  const std::vector<scaled_network> v2 = scaled_v2_s(at);

  experiment made{.name = "scaling",
                  .title = "Ways to scale a network up",
                  .source = "EfficientNet, figures 4 and 8, table 7; EfficientNetV2, section 3.3",
                  .differs =
                      "B0 of a quarter of the width and half the depth on 40 pixels, V2-S of a "
                      "quarter and a fifth; 10 epochs instead of 350."};
  const by_scale<int> epochs = {.smoke = 1, .mini = 10, .full = 350};
  for (const scaling_step& of : steps) {
    const effnet::network_spec spec = scaled_b0(at, of);
    made.train(of.name(), small_training(at, spec, spec.train_size, epochs, {"--mode", "fixed"}),
               1);
  }
  for (const scaled_network& of : v2)
    made.train(of.name, staged_training(at, of.network, epochs, "fixed"), 1);

  made.report = [=](const outcomes& all) {
    using enum text_table::side;
    const auto macs = [](const effnet::network_spec& spec) {
      return double(effnet::count_macs(spec, spec.eval_size));
    };
    const auto parameters = [](const effnet::network_spec& spec) {
      return cells::millions(double(effnet::count_parameters(spec)));
    };
    section to;
    text_table of_b0;
    for (const char* title : {"width", "depth", "resolution", "size", "parameters", "MACs",
                              "of B0's", "top-1 %", "published FLOPs", "published top-1 %"})
      of_b0.column(title);
    for (const scaling_step& of : steps) {
      const effnet::network_spec spec = scaled_b0(at, of);
      of_b0.row({effnet::sentence(of.width), effnet::sentence(of.depth),
                 effnet::sentence(of.resolution), std::to_string(spec.eval_size), parameters(spec),
                 cells::millions(macs(spec)),
                 fixed(macs(spec) / macs(scaled_b0(at, unscaled_b0)), 2) + "x",
                 cells::top1(all, of.name()), of.flops > 0 ? cells::billions(of.flops) : "",
                 of.top1 > 0 ? fixed(of.top1, 1) : ""});
    }
    to.add("B0, scaled", of_b0);
    text_table of_v2;
    of_v2.column("network", left);
    of_v2.column("layers", left);
    for (const char* title : {"size", "parameters", "MACs", "top-1 %"}) of_v2.column(title);
    for (const scaled_network& of : v2) {
      std::string layers;
      for (const effnet::stage_spec& stage : of.network.stages)
        layers += effnet::sentence(layers.empty() ? "" : " ", stage.repeats);
      of_v2.row({of.name, layers, std::to_string(of.network.eval_size), parameters(of.network),
                 cells::millions(macs(of.network)), cells::top1(all, of.name)});
    }
    to.add("V2-S, scaled", of_v2);
    to.add(detail::scaling_chart(at, all, "One dimension, or all", ways));
    to.add(detail::scaling_chart(at, all, "Width, on four baselines", baselines));

    const scaling_step& compound = ways.back().steps.back();
    const auto growth = [&](const scaling_step& of) {
      return fixed(macs(scaled_b0(at, of)) / macs(scaled_b0(at, unscaled_b0)), 1) + "x";
    };
    for (const scaling_series& of : ways) {
      const scaling_step& single = of.steps.back();
      if (&single == &compound) continue;
      to.add(more_accurate(
          effnet::sentence("Compound scaling (", growth(compound),
                           " the MACs) is more accurate than ", of.name, " alone (", growth(single),
                           ")"),
          effnet::sentence(fixed(compound.top1, 1), " against ", fixed(single.top1, 1)),
          all.top1(compound.name()), all.top1(single.name())));
    }
    const auto gain = [&](const scaling_series& of) {
      return cells::gain(all.top1(of.steps.front().name()), all.top1(of.steps.back().name()));
    };
    to.add(more_accurate(
        "Twice the width gains more on the deeper baseline of higher resolution than on the first",
        "figure 4", gain(baselines.back()), gain(baselines.front())));
    to.add(
        more_accurate("At about equal MACs, more layers in the last stages and smaller images "
                      "are more accurate than all stages scaled alike",
                      "section 3.3, no figure given", all.top1(v2[2].name), all.top1(v2[1].name)));
    to.remark(
        "Layers are whole and channels multiples of 8, so a small network does not grow by exactly "
        "what its coefficients say: the counts are those of the networks as they were trained. The "
        "larger V2-S are scaled at full size, both to the MACs of V2-L, and then narrowed; the "
        "uniform one then gets the image size at which both compute about as much.");
    return to;
  };
  return made;
}

}  // namespace example
