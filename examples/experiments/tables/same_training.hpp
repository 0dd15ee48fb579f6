#pragma once

#include <string>
#include <vector>

#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "experiments/experiment.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/curves.hpp"
#include "experiments/tables/full_scale_recipe.hpp"

namespace example {

/// EfficientNetV2, table 10: the best V1 network and V2-M with the same training.
inline experiment same_training(const scale& at) {
  struct row {
    const char* name;
    effnet::network_spec network;
    by_scale<int> size;                                        ///< of evaluation
    double parameters, flops, top1, hours, v100_milliseconds;  ///< published
  };
  const std::vector<row> rows = {
      {"V1-B7", effnet::b7, {.smoke = 32, .mini = 80, .full = 600}, 66e6, 38e9, 85.0, 54, 170},
      {"V2-M", effnet::v2_m, {.smoke = 32, .mini = 64, .full = 480}, 55e6, 24e9, 85.1, 13, 57}};
  const auto network = [=](const row& of) {
    return network_at(at, of.network, {.width = 0.25, .depth = 0.25}, at.pick(of.size));
  };
  const auto latency = [](const row& of) { return effnet::sentence(of.name, ", latency"); };

  experiment made{
      .name = "same_training",
      .title = "V1-B7 and V2-M with the same training",
      .source = "EfficientNetV2, table 10",
      .differs =
          "A quarter of the width and depth on 80 and 64 pixels instead of 600 and 480; "
          "20 epochs instead of 350. The latency is that of one "
          "image on this processor; the published one is of a V100 GPU."};
  for (const row& of : rows) {
    const effnet::network_spec spec = network(of);
    training how = staged_training(at, spec, {.smoke = 1, .mini = 20, .full = 350}, "progressive",
                                   {.rand_augment = "20", .mixup = "0.2"});
    how.is_timed = true;
    made.train(of.name, how, 1);
    made.time(latency(of), {.network = spec, .size = spec.eval_size});
  }
  made.report = [=](const outcomes& all) {
    using enum text_table::side;
    const row &v1 = rows[0], &v2 = rows[1];
    const auto seconds = [&](const row& of) { return cells::mean(all.seconds(of.name)); };
    const auto parameters = [](const effnet::network_spec& spec) {
      return double(effnet::count_parameters(spec));
    };
    const auto macs = [](const effnet::network_spec& spec) {
      return double(effnet::count_macs(spec, spec.eval_size));
    };
    section to;
    text_table measured;
    measured.column("network", left);
    for (const char* title : {"parameters", "MACs", "top-1 %", "training time", "latency ms",
                              "published top-1 %", "TPU hours", "V100 ms"})
      measured.column(title);
    for (const row& of : rows)
      measured.row({of.name, cells::millions(parameters(network(of))),
                    cells::millions(macs(network(of))), cells::top1(all, of.name),
                    cells::training_time(all, of.name), cells::milliseconds(all.time(latency(of))),
                    fixed(of.top1, 1), fixed(of.hours, 0), fixed(of.v100_milliseconds, 0)});
    measured.row({"difference", cells::change(parameters(network(v2)), parameters(network(v1))),
                  cells::change(macs(network(v2)), macs(network(v1))), "",
                  cells::change(seconds(v2), seconds(v1)),
                  cells::change(all.time(latency(v2)), all.time(latency(v1))), "",
                  cells::change(v2.hours, v1.hours),
                  cells::change(v2.v100_milliseconds, v1.v100_milliseconds)});
    to.add("Measured here, and what the table has", measured);

    text_table exact;
    exact.column("network", left);
    for (const char* title : {"size", "parameters", "published", "MACs", "published FLOPs"})
      exact.column(title);
    for (const row& of : rows)
      exact.row({of.name, std::to_string(of.size.full),
                 grouped(effnet::count_parameters(of.network)), cells::millions(of.parameters),
                 grouped(effnet::count_macs(of.network, of.size.full)), cells::billions(of.flops)});
    const double fewer_parameters = parameters(v1.network) / parameters(v2.network);
    const double fewer_macs = macs(v1.network) / macs(v2.network);
    exact.row({"difference", "", cells::change(1, fewer_parameters),
               cells::change(v2.parameters, v1.parameters), cells::change(1, fewer_macs),
               cells::change(v2.flops, v1.flops)});
    to.add("At the published size, counted", exact);

    line_chart curves("Accuracy in the course of training",
                      {.title = "training time", .unit = chart_unit::seconds, .least = 0},
                      {.title = "top-1", .unit = chart_unit::percent});
    for (int i = 0; i < 2; ++i)
      curves.add(accuracy_curve(all, rows[static_cast<std::size_t>(i)].name, over::seconds, i));
    to.add(curves);

    const paired_difference gain(all.top1(v2.name), all.top1(v1.name));
    to.add({"V2-M is no more than a point less accurate than V1-B7", "85.1 against 85.0",
            gain.text(" points"), gain.not_below(1)});
    to.add(faster("V2-M trains faster", "13 against 54 hours, 4.2x", all.seconds(v1.name),
                  all.seconds(v2.name)));
    to.add(faster("V2-M infers faster", "57 against 170 ms, 3.0x", all.seconds(latency(v1)),
                  all.seconds(latency(v2))));
    to.add(at_least("V2-M has fewer parameters: V1-B7 has 1.2 times as many, counted at full size",
                    "55M against 66M", fewer_parameters, 1.18));
    to.add(
        at_least("V2-M computes less: V1-B7 has 1.5 times as many multiply-adds, counted at "
                 "full size",
                 "24B against 38B", fewer_macs, 1.53));
    to.remark(
        "Both train in four stages with the same options. The small networks keep the ratio of the "
        "image sizes, but layers are whole and channels multiples of 8, so the ratio of their "
        "parameters is not the published one.");
    return to;
  };
  return made;
}

}  // namespace example
