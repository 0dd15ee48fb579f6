#pragma once

#include <string>
#include <vector>

#include <effnet/v2.hpp>

#include "experiments/experiment.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/curves.hpp"
#include "experiments/tables/small_training.hpp"

namespace example {

/// EfficientNetV2, table 13 and figure 6: image sizes that grow or are drawn, each with the last
/// regularization throughout and with one that fits the size.
inline experiment adaptive_regularization(const scale& at) {
  struct row {
    const char *name, *mode, *published;
  };
  const std::vector<row> rows = {
      {"progressive resize", "resize_only", "84.3 ± 0.14"},
      {"progressive resize, adaptive", "progressive", "85.1 ± 0.07"},
      {"random resize", "random_resize", "83.5 ± 0.11"},
      {"random resize, adaptive", "random_resize_adaptive", "84.2 ± 0.10"}};
  const int size = at.number({.smoke = 48, .mini = 96, .full = 380});
  const effnet::network_spec spec =
      at.network(at.is_full() ? effnet::v2_m : effnet::v2_b0, {}, size);

  experiment made{.name = "adaptive_regularization",
                  .title = "Regularization that adapts to the image size",
                  .source = "EfficientNetV2, table 13 and figure 6",
                  .differs =
                      "V2-B0 of half the width and depth on at most 96 pixels instead of "
                      "V2-M on 380; 30 epochs instead of 350; RandAugment "
                      "up to 10 (translations a third as far), mixup and dropout up to 0.2."};
  for (const row& of : rows)
    made.train(of.name,
               small_training(at, spec, size, {.smoke = 1, .mini = 30, .full = 350},
                              joined({"--mode", of.mode}, small_rand_augment(at, 10))),
               at.number({.smoke = 1, .mini = 3, .full = 3}));
  made.report = [=](const outcomes& all) {
    using enum text_table::side;
    section to;
    text_table table;
    table.column("training", left);
    for (const char* title : {"top-1 %", "published"}) table.column(title);
    for (const row& of : rows) table.row({of.name, cells::top1(all, of.name), of.published});
    to.add("Measured here, and what the table has", table);
    for (const std::size_t first : {std::size_t{0}, std::size_t{2}}) {
      line_chart chart(first == 0 ? "Progressive resize" : "Random resize",
                       {.title = "epochs", .least = 0},
                       {.title = "top-1", .unit = chart_unit::percent});
      chart.add(accuracy_curve(all, rows[first].name, over::epochs, 0));
      chart.add(accuracy_curve(all, rows[first + 1].name, over::epochs, 1));
      to.add(chart);
    }
    to.add(more_accurate("Progressive resizing is better with adaptive regularization",
                         "+0.8 points", all.top1(rows[1].name), all.top1(rows[0].name)));
    to.add(more_accurate("Random resizing is better with adaptive regularization", "+0.7 points",
                         all.top1(rows[3].name), all.top1(rows[2].name)));
    to.add(more_accurate("Progressive resizing is better than random resizing", "+0.8 points",
                         all.top1(rows[0].name), all.top1(rows[2].name)));
    return to;
  };
  return made;
}

}  // namespace example
