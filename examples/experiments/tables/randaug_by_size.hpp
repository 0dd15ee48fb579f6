#pragma once

#include <array>
#include <string>
#include <vector>

#include <effnet/v2.hpp>

#include "experiments/experiment.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/small_training.hpp"

namespace example {

/// EfficientNetV2, table 5: magnitudes of RandAugment at image sizes.
inline experiment randaug_by_size(const scale& at) {
  struct row {
    int magnitude;
    std::array<const char*, 3> published;  ///< at 128, 192, 300 pixels
  };
  const std::vector<row> rows = {{5, {"78.3 ± 0.16", "81.2 ± 0.06", "82.5 ± 0.05"}},
                                 {10, {"78.0 ± 0.08", "81.6 ± 0.08", "82.7 ± 0.08"}},
                                 {15, {"77.7 ± 0.15", "81.5 ± 0.05", "83.2 ± 0.09"}}};
  const auto sizes = at.pick<std::array<int, 3>>(
      {.smoke = {32, 40, 48}, .mini = {48, 64, 96}, .full = {128, 192, 300}});
  const auto of_magnitude = [=](int magnitude) -> std::vector<std::string> {
    if (!at.is_full()) return small_rand_augment(at, magnitude);
    return {"--augment", "rand_augment", "--rand-augment", std::to_string(magnitude)};
  };
  const auto name = [](int magnitude, int size) {
    return effnet::sentence("magnitude ", magnitude, " at ", size);
  };

  experiment made{.name = "randaug_by_size",
                  .title = "Magnitude of RandAugment and image size",
                  .source = "EfficientNetV2, table 5",
                  .differs =
                      "V2-B0 of half the width and depth on 48, 64 and 96 pixels instead of "
                      "V2-S on 128, 192 and 300; 16 epochs instead of 350; "
                      "translations are a third as far, as images are a third as large."};
  for (const row& of : rows)
    for (const int size : sizes) {
      const effnet::network_spec spec =
          at.network(at.is_full() ? effnet::v2_s : effnet::v2_b0, {}, size);
      made.train(name(of.magnitude, size),
                 small_training(at, spec, size, {.smoke = 1, .mini = 16, .full = 350},
                                joined({"--mode", "fixed"}, of_magnitude(of.magnitude))),
                 at.number({.smoke = 1, .mini = 3, .full = 3}));
    }
  made.report = [=](const outcomes& all) {
    const auto top1 = [&](std::size_t row, std::size_t size) {
      return all.top1(name(rows[row].magnitude, sizes[size]));
    };
    section to;
    text_table table;
    table.column("RandAugment");
    for (const int size : sizes) table.column(effnet::sentence("top-1 % at ", size));
    for (const char* title : {"published at 128", "at 192", "at 300"}) table.column(title);
    for (std::size_t i = 0; i < rows.size(); ++i)
      table.row({std::to_string(rows[i].magnitude), cells::over_seeds(top1(i, 0)),
                 cells::over_seeds(top1(i, 1)), cells::over_seeds(top1(i, 2)), rows[i].published[0],
                 rows[i].published[1], rows[i].published[2]});
    to.add("Measured here, and what the table has", table);
    line_chart chart("Top-1 over magnitude", {.title = "magnitude"},
                     {.title = "%", .unit = chart_unit::percent});
    for (std::size_t s = 0; s < sizes.size(); ++s) {
      chart_line line{.name = effnet::sentence(sizes[s], " pixels"),
                      .points = {},
                      .color = static_cast<int>(s),
                      .look = chart_line::form::dotted};
      for (std::size_t i = 0; i < rows.size(); ++i)
        if (const auto mean = cells::mean(top1(i, s)))
          line.points.push_back({double(rows[i].magnitude), *mean});
      chart.add(std::move(line));
    }
    to.add(chart);
    to.add(more_accurate("Small images are better with weak augmentation (5 against 15)",
                         "78.3 against 77.7", top1(0, 0), top1(2, 0)));
    to.add(more_accurate("Large images are better with strong augmentation (15 against 5)",
                         "83.2 against 82.5", top1(2, 2), top1(0, 2)));
    to.add(more_accurate("Stronger augmentation gains more with large images than with small ones",
                         "+0.7 against -0.6", cells::gain(top1(0, 2), top1(2, 2)),
                         cells::gain(top1(0, 0), top1(2, 0))));
    return to;
  };
  return made;
}

}  // namespace example
