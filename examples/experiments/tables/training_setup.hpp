#pragma once

#include <string>
#include <vector>

#include <effnet/v2.hpp>

#include "experiments/experiment.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/curves.hpp"
#include "experiments/tables/small_training.hpp"

namespace example {

/// The training setup of EfficientNetV2, section 5.1, and what each part of it is worth.
inline experiment training_setup(const scale& at) {
  // An average over 10,000 steps would be that of nothing but the start in a run of 1,000.
  const char* const decay = at.is_full() ? "0.9999" : "0.99";
  const char* const epochs = at.is_full() ? "5" : "1";
  struct row {
    const char *name, *average, *warmup;
    const char* momentum = "0.9";
    const char* rate = "0.016";         ///< for a batch of 256
    const char* batch_weight = "0.01";  ///< 1 - momentum of batch norm
  };
  const std::vector<row> rows = {
      {.name = "setup", .average = decay, .warmup = epochs},
      {.name = "momentum 0", .average = decay, .warmup = epochs, .momentum = "0"},
      // Without momentum steps are a tenth as long in the end, which is a change of its own.
      {.name = "momentum 0, rate x 10",
       .average = decay,
       .warmup = epochs,
       .momentum = "0",
       .rate = "0.16"},
      {.name = "BN momentum 0.9", .average = decay, .warmup = epochs, .batch_weight = "0.1"},
      {.name = "no EMA", .average = "0", .warmup = epochs},
      {.name = "no warm-up", .average = decay, .warmup = "0"}};
  const int size = at.number({.smoke = 32, .mini = 48, .full = 192});

  experiment made{.name = "training_setup",
                  .title = "Parts of the training setup",
                  .source = "EfficientNetV2, section 5.1",
                  .differs =
                      "V2-B0 of half the width and depth on 48 pixels; 15 epochs instead of "
                      "350, batch 64 instead of 4096. The rate falls as a cosine, "
                      "the averages' decay is 0.99 instead of 0.9999, the warm-up 1 epoch instead "
                      "of 5."};
  for (const row& of : rows)
    made.train(of.name,
               small_training(at, at.network(effnet::v2_b0, {.width = 0.5, .depth = 0.5}, size),
                              size, {.smoke = 1, .mini = 15, .full = 350},
                              {"--mode", "fixed", "--optimizer", "rmsprop", "--weight-decay",
                               "1e-5", "--momentum", of.momentum, "--lr", of.rate, "--bn-momentum",
                               of.batch_weight, "--ema", of.average, "--warmup", of.warmup}),
               1);
  made.report = [=](const outcomes& all) {
    using enum text_table::side;
    const auto top1 = [&](const row& of) { return all.top1(of.name); };
    const row& setup = rows[0];
    section to;
    text_table table;
    table.column("changed", left);
    for (const char* title : {"RMSProp momentum", "learning rate", "BN momentum", "EMA decay",
                              "warm-up epochs", "top-1 %", "difference"})
      table.column(title);
    for (const row& of : rows)
      table.row({&of == &setup ? "nothing" : of.name, of.momentum, of.rate,
                 of.batch_weight == std::string("0.01") ? "0.99" : "0.9", of.average, of.warmup,
                 cells::top1(all, of.name),
                 &of == &setup ? "" : paired_difference(top1(of), top1(setup)).text(" points")});
    to.add("One part changed at a time; learning rates are for a batch of 256", table);

    const chart_axis below{.title = "epochs", .least = 0},
        side{.title = "top-1", .unit = chart_unit::percent};
    line_chart optimizer("RMSProp's momentum", below, side);
    line_chart averages("Averages and warm-up", below, side);
    for (int i = 0; const row& of : rows) {
      if (i < 3) optimizer.add(accuracy_curve(all, of.name, over::epochs, i));
      if (i == 0 || i >= 3)
        averages.add(accuracy_curve(all, of.name, over::epochs, i == 0 ? 0 : i - 2));
      ++i;
    }
    to.add(optimizer);
    to.add(averages);

    const char* const chosen = "chosen, no figure given";
    to.add(
        more_accurate("Momentum 0.9 is more accurate than 0", chosen, top1(setup), top1(rows[1])));
    to.add(more_accurate("Momentum 0.9 is more accurate than 0 with ten times the learning rate",
                         chosen, top1(setup), top1(rows[2])));
    to.add(more_accurate("Batch norm's momentum 0.99 is more accurate than 0.9", chosen,
                         top1(setup), top1(rows[3])));
    to.add(more_accurate("A moving average of the weights is more accurate than the weights",
                         chosen, top1(setup), top1(rows[4])));
    to.add(
        more_accurate("A warm-up is more accurate than none", chosen, top1(setup), top1(rows[5])));
    to.remark(
        "The paper has RMSProp's momentum 0.9 and batch norm's 0.99; the released code has 0.9 for "
        "both.");
    return to;
  };
  return made;
}

}  // namespace example
