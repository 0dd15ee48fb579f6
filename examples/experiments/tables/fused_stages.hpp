#pragma once

#include <optional>
#include <string>
#include <vector>

#include <effnet/arch/fused_ablation.hpp>

#include "experiments/experiment.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/small_training.hpp"

namespace example {

/// EfficientNetV2, table 3: EfficientNet-B4 with more and more of its stages fused.
inline experiment fused_stages(const scale& at) {
  struct row {
    const char* name;
    effnet::network_spec network, closest;
    double parameters, flops, top1, tpu, v100;  ///< published
  };
  const std::vector<row> rows = {
      {"no fused", effnet::b4, effnet::b4, 19.3e6, 4.5e9, 82.8, 262, 155},
      {"stages 1-3", effnet::b4_fused_1_3, effnet::published_fit::b4_fused_1_3, 20.0e6, 7.5e9, 83.1,
       362, 216},
      {"stages 1-5", effnet::b4_fused_1_5, effnet::published_fit::b4_fused_1_5, 43.4e6, 21.3e9,
       83.1, 327, 223},
      {"stages 1-7", effnet::b4_fused_1_7, effnet::published_fit::b4_fused_1_7, 132.0e6, 34.4e9,
       81.7, 254, 206}};
  const int size = at.number({.smoke = 32, .mini = 48, .full = 380});
  const int batch = at.number({.smoke = 2, .mini = 32, .full = 32});
  const auto network = [=](const row& of) {
    return at.network(of.network, {.width = 0.5, .depth = 0.35}, size);
  };

  experiment made{.name = "fused_stages",
                  .title = "Fused-MBConv in more and more stages",
                  .source = "EfficientNetV2, table 3",
                  .differs =
                      "B4 of half the width and a third of the depth on 48 pixels instead "
                      "of B4 on 380; 15 epochs instead of 350."};
  for (const row& of : rows) {
    const effnet::network_spec spec = network(of);
    made.train(
        of.name,
        small_training(at, spec, size, {.smoke = 1, .mini = 15, .full = 350}, {"--mode", "fixed"}),
        at.number({.smoke = 1, .mini = 3, .full = 1}));
    made.time(effnet::sentence(of.name, ", training"),
              {.network = spec, .size = size, .batch = batch, .of_training = true});
    made.time(effnet::sentence(of.name, ", inference"),
              {.network = spec, .size = size, .batch = batch});
  }
  made.report = [=](const outcomes& all) {
    using enum text_table::side;
    const auto speed = [&](const row& of, const char* pass) {
      return cells::images_per_second(all, effnet::sentence(of.name, ", ", pass), batch);
    };
    section to;
    text_table measured;
    measured.column("fused", left);
    for (const char* title : {"parameters", "MACs", "top-1 %", "training img/s", "inference img/s",
                              "published top-1 %", "TPU img/s/core", "V100 img/s/gpu"})
      measured.column(title);
    for (const row& of : rows) {
      const effnet::network_spec spec = network(of);
      measured.row({of.name, cells::millions(double(effnet::count_parameters(spec))),
                    cells::billions(double(effnet::count_macs(spec, size))),
                    cells::top1(all, of.name), speed(of, "training"), speed(of, "inference"),
                    fixed(of.top1, 1), fixed(of.tpu, 0), fixed(of.v100, 0)});
    }
    to.add("Measured here, and what the table has", measured);

    text_table exact;
    exact.column("fused", left);
    for (const char* title :
         {"parameters", "published", "difference", "MACs at 380", "published", "difference",
          "parameters of the closest rule", "its MACs", "difference"})
      exact.column(title);
    for (const row& of : rows)
      exact.row({of.name, grouped(effnet::count_parameters(of.network)),
                 cells::millions(of.parameters),
                 cells::change(of.parameters, double(effnet::count_parameters(of.network)), 1),
                 grouped(effnet::count_macs(of.network, 380)), cells::billions(of.flops),
                 cells::change(of.flops, double(effnet::count_macs(of.network, 380)), 1),
                 grouped(effnet::count_parameters(of.closest)),
                 grouped(effnet::count_macs(of.closest, 380)),
                 cells::change(of.flops, double(effnet::count_macs(of.closest, 380)), 1)});
    to.add(
        "At the published size: one rule for all rows (kernels kept, no squeeze-excite where "
        "fused), and the rule that comes closest to each row",
        exact);

    to.add(more_accurate("Fusing stages 1-3 is more accurate than no fusing", "83.1 against 82.8",
                         all.top1("stages 1-3"), all.top1("no fused")));
    to.add(more_accurate("Fusing all stages is less accurate than fusing stages 1-3",
                         "81.7 against 83.1", all.top1("stages 1-3"), all.top1("stages 1-7")));
    to.add(faster("Training is faster with stages 1-3 fused than with none", "1.38x (TPU)",
                  all.seconds("no fused, training"), all.seconds("stages 1-3, training")));
    to.add(faster("Training is faster with stages 1-3 fused than with all", "1.43x (TPU)",
                  all.seconds("stages 1-7, training"), all.seconds("stages 1-3, training")));
    to.remark(
        "No single rule gives all published rows; the ablation here is the uniform one, and the "
        "closest rule of each row stands beside it. Published FLOPs count element-wise work too.");
    return to;
  };
  return made;
}

}  // namespace example
