#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiments/experiment.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/published_network.hpp"
#include "experiments/tables/published_results.hpp"

namespace example {

/// EfficientNetV2, table 7 and figure 5, with EfficientNet's table 2: size, accuracy and speed.
inline experiment results_table(const scale& at) {
  using row = published_result;
  const std::vector<row> rows = published_results();
  const int batch = at.number({.smoke = 2, .mini = 4, .full = 4});
  const auto network = [=](const row& of) { return published_network(at, of.network); };
  // Timing a step of the largest takes a minute or more on a small machine.
  const auto is_trained = [=](const row& of) {
    return at.is_full() || effnet::count_macs(of.network, of.network.train_size) < 16'000'000'000;
  };
  const auto name = [](const char* of, const char* what) {
    return effnet::sentence(of, ", ", what);
  };

  experiment made{.name = "results",
                  .title = "Size, accuracy and speed of all networks",
                  .source = "EfficientNetV2, table 7 and figure 5; EfficientNet, table 2",
                  .differs =
                      "Latency of one image in float32 on a processor instead of 16 in half "
                      "precision on a V100; training speed in batches of 4, of all networks but "
                      "the largest, and nothing trained: accuracies are the published ones."};
  for (const row& of : rows) {
    const effnet::network_spec spec = network(of);
    made.time(name(of.name, "latency"), {.network = spec, .size = spec.eval_size});
    if (is_trained(of))
      made.time(name(of.name, "training"),
                {.network = spec, .size = spec.train_size, .batch = batch, .of_training = true});
  }
  made.report = [=](const outcomes& all) {
    using enum text_table::side;
    const auto top1 = [](double known) { return known > 0 ? fixed(known, 1) : std::string(); };
    const auto number = [](double known) {
      return known > 0 ? effnet::sentence(known) : std::string();
    };
    const auto exact_macs = [](const row& of) {
      return double(effnet::count_macs(of.network, of.network.eval_size));
    };
    section to;
    text_table sizes;
    sizes.column("network", left);
    for (const char* title :
         {"pixels", "parameters", "published", "difference", "MACs", "published FLOPs",
          "difference", "published top-1 %", "after ImageNet-21k"})
      sizes.column(title);
    for (const row& of : rows) {
      const std::int64_t parameters = effnet::count_parameters(of.network);
      sizes.row({of.name, std::to_string(of.network.eval_size), grouped(parameters),
                 cells::millions(of.parameters),
                 cells::change(of.parameters, double(parameters), 1),
                 cells::billions(exact_macs(of)), cells::billions(of.flops),
                 cells::change(of.flops, exact_macs(of), 1), top1(of.top1), top1(of.top1_21k)});
    }
    to.add("Exact sizes, and what was published", sizes);

    text_table speed;
    speed.column("network", left);
    for (const char* title :
         {"latency ms", "published V100 ms", "training pixels", "training img/s",
          "hours an ImageNet epoch", "published training hours"})
      speed.column(title);
    for (const row& of : rows) {
      constexpr double images = 1'281'167;
      const auto step = all.time(name(of.name, "training"));
      speed.row({of.name, cells::milliseconds(all.time(name(of.name, "latency"))),
                 number(of.v100_ms), std::to_string(network(of).train_size),
                 cells::images_per_second(all, name(of.name, "training"), batch),
                 step ? fixed(images * *step / batch / 3600, 1) : "", number(of.hours)});
    }
    to.add("Speed here, and what was published", speed);

    to.add(accuracy_chart(
        "Accuracy over parameters", "parameters",
        [](const row& of) { return std::optional(double(effnet::count_parameters(of.network))); },
        &published_point::parameters));
    to.add(accuracy_chart(
        "Accuracy over multiply-adds", "multiply-adds an image",
        [&](const row& of) { return std::optional(exact_macs(of)); }, &published_point::flops));
    to.add(accuracy_chart("Accuracy over latency here", "seconds an image",
                          [&](const row& of) { return all.time(name(of.name, "latency")); }));

    const auto is_faster = [&](std::string sentence, const char* published, const char* slow,
                               const char* fast, const char* what) {
      to.add(faster(std::move(sentence), published, all.seconds(name(slow, what)),
                    all.seconds(name(fast, what))));
    };
    is_faster("V2-S infers faster than B5, which is as accurate", "83.9 % against 83.6 %", "B5",
              "V2-S", "latency");
    is_faster("V2-S trains faster than B5", "7.1 h against 42.9 h", "B5", "V2-S", "training");
    is_faster("V2-M infers faster than B7, which is as accurate", "57 ms against 170 ms (V100)",
              "B7", "V2-M", "latency");
    if (at.is_full())
      is_faster("V2-M trains faster than B7", "13 h against 139 h", "B7", "V2-M", "training");
    to.add(at_least("V2-M has fewer parameters than B7", "-17 % (55M against 66M)",
                    double(effnet::count_parameters(effnet::b7)) /
                        double(effnet::count_parameters(effnet::v2_m)),
                    1.18));
    to.add(at_least("V2-M has fewer multiply-adds than B7", "-37 % (24B against 38B)",
                    double(effnet::count_macs(effnet::b7, effnet::b7.eval_size)) /
                        double(effnet::count_macs(effnet::v2_m, effnet::v2_m.eval_size)),
                    1.53));
    to.remark(
        "Published FLOPs count element-wise work too, and are rounded. Those of V2-S to XL are "
        "table 7's (the authors' code prints 8.4B, 24.7B and 56.3B for S, M and L), those of V2-B0 "
        "to B3 the code's.");
    to.remark(
        "Published hours are of 32 TPU cores, with progressive learning for V2 and without it for "
        "V1; with it B7 takes 54 hours and comes to 85.0 %. Those of B4, B5 and B7 are of "
        "trainings "
        "that come to 82.9, 83.7 and 84.7 %. V2-XL's include ImageNet-21k, with which V2-S, M and "
        "L "
        "take 9, 15 and 26 hours.");
    to.remark(
        "GPipe and ViT-L/16 are published points: these networks are not built here. Latencies of "
        "B0 to B6 on a V100 and points of other networks are left out, no source being at hand.");
    return to;
  };
  return made;
}

}  // namespace example
