#pragma once

#include <string>
#include <utility>
#include <vector>

#include <effnet/v2.hpp>

#include "experiments/experiment.hpp"
#include "experiments/fitting_batch.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/published_network.hpp"

namespace example {

/// EfficientNetV2, section 3: what large images cost.
inline experiment image_size_cost(const scale& at) {
  const effnet::network_spec spec = published_network(at, effnet::v2_s);
  // V2-S is trained on 128 to 300 pixels and run on 384.
  const auto sizes = at.pick<std::vector<int>>({.smoke = {32, 48, 64},
                                                .mini = {128, 192, 256, 300, 384, 480},
                                                .full = {128, 192, 256, 300, 384, 480}});
  const int batch = at.number({.smoke = 2, .mini = 4, .full = 32});
  const double gigabytes = at.pick<double>({.smoke = 0.2, .mini = 4, .full = 40});
  const auto name = [](int size, const char* pass) {
    return effnet::sentence(size, " pixels, ", pass);
  };

  experiment made{.name = "image_size_cost",
                  .title = "What large images cost",
                  .source = "EfficientNetV2, section 3",
                  .differs =
                      "V2-S in batches of 4 on a processor, and batches that fit in 4 GB, "
                      "instead of networks on TPUs and a V100."};
  for (const int size : sizes) {
    made.time(name(size, "training"),
              {.network = spec, .size = size, .batch = batch, .of_training = true});
    made.time(name(size, "inference"), {.network = spec, .size = size, .batch = batch});
  }
  made.report = [=](const outcomes& all) {
    fitting_batch largest(spec, gigabytes);
    const std::string limit = effnet::sentence("largest batch in ", gigabytes, " GB");
    const auto time = [&](int size, const char* pass) { return all.time(name(size, pass)); };
    section to;
    text_table table;
    for (const std::string& title :
         {std::string("pixels"), std::string("MACs an image"), limit, std::string("training img/s"),
          std::string("change"), std::string("inference img/s"), std::string("change")})
      table.column(title);
    chart_line batches{.name = "largest batch",
                       .points = {},
                       .color = 2,
                       .look = chart_line::form::dotted,
                       .on_right = true};
    for (const int size : sizes) {
      const int fits = largest.at(size);
      batches.points.push_back({double(size), double(fits)});
      // Speed is the inverse of time.
      const auto change = [&](const char* pass) {
        return cells::change(time(sizes.front(), pass), time(size, pass));
      };
      table.row({std::to_string(size), cells::billions(double(effnet::count_macs(spec, size))),
                 std::to_string(fits), cells::images_per_second(all, name(size, "training"), batch),
                 change("training"), cells::images_per_second(all, name(size, "inference"), batch),
                 change("inference")});
    }
    to.add(effnet::sentence("By image size; speeds in batches of ", batch), table);
    line_chart chart("Speed and batch over image size", {.title = "pixels"},
                     {.title = "images/s", .unit = chart_unit::logarithmic},
                     {.title = "batch", .unit = chart_unit::logarithmic});
    for (const char* pass : {"training", "inference"}) {
      chart_line line{.name = pass,
                      .points = {},
                      .color = pass == std::string("training") ? 0 : 1,
                      .look = chart_line::form::dotted};
      for (const int size : sizes)
        if (const auto seconds = time(size, pass))
          line.points.push_back({double(size), batch / *seconds});
      chart.add(std::move(line));
    }
    const double smallest = batches.points.front().y, last = batches.points.back().y;
    chart.add(std::move(batches));
    to.add(chart);
    const std::string ends = effnet::sentence(" (", sizes.front(), " against ", sizes.back(), ")");
    to.add(at_least("Larger images force smaller batches" + ends, "said without a number",
                    smallest / last, 1.1));
    to.add(faster("Training on smaller images is faster" + ends, "said without a number",
                  all.seconds(name(sizes.back(), "training")),
                  all.seconds(name(sizes.front(), "training"))));
    to.add(faster("Inference of smaller images is faster" + ends, "said without a number",
                  all.seconds(name(sizes.back(), "inference")),
                  all.seconds(name(sizes.front(), "inference"))));
    to.remark(
        "The largest batch is planned, not tried: activations, scratch memory, weights, gradients, "
        "the optimizer's two averages and the weights' average have to fit.");
    return to;
  };
  return made;
}

}  // namespace example
