#pragma once

#include <map>
#include <string>
#include <vector>

#include <effnet/resnet.hpp>
#include <effnet/v1.hpp>

#include "experiments/experiment.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/full_scale_recipe.hpp"

namespace example {

/// EfficientNetV2, table 12: progressive learning of other networks.
inline experiment progressive_elsewhere(const scale& at) {
  struct row {
    const char* name;
    effnet::network_spec network;
    by_scale<int> size;                                       ///< of evaluation
    double top1, progressive_top1, hours, progressive_hours;  ///< published
  };
  const by_scale<int> small = {.smoke = 32, .mini = 48, .full = 224},
                      large = {.smoke = 32, .mini = 80, .full = 380},
                      largest = {.smoke = 32, .mini = 96, .full = 456};
  const std::vector<row> rows = {
      {"ResNet-50, small images", effnet::resnet50, small, 78.1, 78.4, 4.9, 3.5},
      {"ResNet-50, large images", effnet::resnet50, large, 80.0, 80.3, 14.3, 5.8},
      {"ResNet-152", effnet::resnet152, large, 82.4, 82.9, 15.5, 7.2},
      {"V1-B4", effnet::b4, large, 82.9, 83.1, 20.8, 9.4},
      {"V1-B5", effnet::b5, largest, 83.7, 84.0, 42.9, 15.2}};
  const auto vanilla = [](const row& of) { return effnet::sentence(of.name, ", vanilla"); };
  const auto progressive = [](const row& of) { return effnet::sentence(of.name, ", progressive"); };

  experiment made{
      .name = "progressive_elsewhere",
      .title = "Progressive learning of other networks",
      .source = "EfficientNetV2, table 12",
      .differs =
          "A quarter of the width and 0.3 of the depth on 48, 80 and 96 pixels instead of "
          "224, 380 and 456; 20 epochs instead of 350. No "
          "RandAugment, which moves such small images away."};
  for (const row& of : rows) {
    const effnet::network_spec spec =
        network_at(at, of.network, {.width = 0.25, .depth = 0.3}, at.pick(of.size));
    for (const bool in_stages : {false, true}) {
      training how = staged_training(at, spec, {.smoke = 1, .mini = 20, .full = 350},
                                     in_stages ? "progressive" : "fixed");
      how.is_timed = true;
      made.train(in_stages ? progressive(of) : vanilla(of), how, 1);
    }
  }
  made.report = [=](const outcomes& all) {
    using enum text_table::side;
    const auto seconds = [&](const std::string& name) { return cells::mean(all.seconds(name)); };
    section to;
    text_table accuracy, time;
    accuracy.column("network", left), time.column("network", left);
    for (const char* title : {"size", "vanilla top-1 %", "progressive", "published size",
                              "vanilla top-1 %", "progressive"})
      accuracy.column(title);
    for (const char* title : {"vanilla", "progressive", "difference", "published vanilla hours",
                              "progressive", "difference"})
      time.column(title);
    for (const row& of : rows) {
      accuracy.row({of.name, std::to_string(at.pick(of.size)), cells::top1(all, vanilla(of)),
                    cells::top1(all, progressive(of)), std::to_string(of.size.full),
                    fixed(of.top1, 1), fixed(of.progressive_top1, 1)});
      time.row({of.name, cells::training_time(all, vanilla(of)),
                cells::training_time(all, progressive(of)),
                cells::change(seconds(progressive(of)), seconds(vanilla(of))), fixed(of.hours, 1),
                fixed(of.progressive_hours, 1), cells::change(of.progressive_hours, of.hours)});
    }
    to.add("Accuracy, and what the table has", accuracy);
    to.add("Training time, and what the table has", time);

    for (const row& of : rows) {
      to.add(faster(effnet::sentence("Progressive learning takes less time: ", of.name),
                    effnet::sentence(fixed(of.hours / of.progressive_hours, 1), "x"),
                    all.seconds(vanilla(of)), all.seconds(progressive(of))));
      to.add(more_accurate(
          effnet::sentence("Progressive learning is more accurate: ", of.name),
          effnet::sentence(fixed(of.progressive_top1, 1), " against ", fixed(of.top1, 1)),
          all.top1(progressive(of)), all.top1(vanilla(of))));
    }
    std::map<int, double> vanillas, progressives;  // by network
    for (int i = 0; const row& of : rows) {
      if (const auto top1 = cells::mean(all.top1(vanilla(of)))) vanillas[i] = *top1;
      if (const auto top1 = cells::mean(all.top1(progressive(of)))) progressives[i] = *top1;
      ++i;
    }
    to.add(more_accurate("Progressive learning is more accurate, over these networks",
                         "+0.3 on average", progressives, vanillas, "network"));
    to.remark(
        "Vanilla training has the size and regularization of the last of the four stages from the "
        "start. The published hours are of TPUs.");
    return to;
  };
  return made;
}

}  // namespace example
