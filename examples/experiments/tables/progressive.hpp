#pragma once

#include <string>
#include <vector>

#include <effnet/v2.hpp>

#include "experiments/experiment.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/curves.hpp"
#include "experiments/tables/small_training.hpp"

namespace example {

/// EfficientNetV2, algorithm 1 and table 6: images that grow in the course of training, with
/// regularization that grows with them, against the last size and regularization throughout.
inline experiment progressive(const scale& at) {
  const int size = at.number({.smoke = 48, .mini = 96, .full = 300});
  const effnet::network_spec spec =
      at.network(at.is_full() ? effnet::v2_s : effnet::v2_b0, {}, size);
  const std::string fixed = "fixed size", growing = "progressive";

  experiment made{.name = "progressive",
                  .title = "Progressive learning against a fixed size",
                  .source = "EfficientNetV2, algorithm 1 and table 6",
                  .differs =
                      "V2-B0 of half the width and depth, 41 to 96 pixels, instead of V2-S, "
                      "128 to 300; 60 epochs instead of 350; RandAugment "
                      "up to 10 (translations a third as far), mixup and dropout up to 0.2."};
  const int seeds = at.number({.smoke = 2, .mini = 3, .full = 1});
  for (const std::string& name : {fixed, growing}) {
    const bool grows = name == growing;
    training run = small_training(
        at, spec, size, {.smoke = 1, .mini = 60, .full = 350},
        joined({"--mode", grows ? "progressive" : "fixed", "--stages", grows ? "4" : "1"},
               small_rand_augment(at, 10)));
    run.is_timed = true;
    made.train(name, run, seeds);
  }
  made.report = [=](const outcomes& all) {
    using enum text_table::side;
    section to;
    text_table table;
    table.column("training", left);
    for (const char* title : {"top-1 %", "wall time", "change"}) table.column(title);
    const auto before = cells::mean(all.seconds(fixed)), now = cells::mean(all.seconds(growing));
    table.row({fixed, cells::top1(all, fixed), cells::training_time(all, fixed), ""});
    table.row({growing, cells::top1(all, growing), cells::training_time(all, growing),
               cells::change(now, before)});
    to.add("Mean of the seeds", table);
    text_table by_seed;
    for (const char* title : {"seed", "fixed top-1 %", "time", "progressive top-1 %", "time"})
      by_seed.column(title);
    for (const auto& [seed, one] : all.of(fixed)) {
      const auto other = all.of(growing).find(seed);
      if (other == all.of(growing).end()) continue;
      by_seed.row({std::to_string(seed), example::fixed(one.top1, 1), clock_text(one.seconds),
                   example::fixed(other->second.top1, 1), clock_text(other->second.seconds)});
    }
    to.add("Seed by seed", by_seed);
    for (const over what : {over::epochs, over::seconds}) {
      line_chart chart(what == over::epochs ? "Accuracy over training" : "Accuracy over wall time",
                       {.title = what == over::epochs ? "epochs" : "wall time",
                        .unit = what == over::epochs ? chart_unit::number : chart_unit::seconds},
                       {.title = "top-1", .unit = chart_unit::percent});
      add_stage_bands(chart, all, growing, what);
      chart.add(accuracy_curve(all, fixed, what, 0));
      chart.add(accuracy_curve(all, growing, what, 1));
      to.add(chart);
    }
    const paired_difference accuracy(all.top1(growing), all.top1(fixed));
    to.add(claim{"Progressive learning is no more than a point less accurate than a fixed size",
                 "+0.2 to +0.5", accuracy.text(" points"), accuracy.not_below(1)});
    to.add(faster("Progressive learning takes less time", "1.4x to 2.8x", all.seconds(fixed),
                  all.seconds(growing)));
    return to;
  };
  return made;
}

}  // namespace example
