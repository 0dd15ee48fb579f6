#pragma once

#include <string>
#include <utility>
#include <vector>

#include <effnet/resnet.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "experiments/experiment.hpp"
#include "experiments/fitting_batch.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/published_network.hpp"
#include "experiments/tables/timed_block.hpp"

namespace example {

/// How many times as many multiply-adds a 3x3 convolution takes as a depthwise one and a 1x1.
constexpr double separable_saving(int channels) {
  const effnet::layer dense{.in = channels, .out = channels, .kernel = 3};
  const effnet::layer depthwise{.in = channels, .out = channels, .kernel = 3, .groups = channels};
  const effnet::layer pointwise{.in = channels, .out = channels};
  return static_cast<double>(dense.weights()) /
         static_cast<double>(depthwise.weights() + pointwise.weights());
}

/// What the papers say in sentences.
inline experiment claims_table(const scale& at) {
  struct row {
    const char* name;
    effnet::network_spec network;
    int threads;
  };
  const std::vector<row> latencies = {{"ResNet-152, one core", effnet::resnet152, 1},
                                      {"B1, one core", effnet::b1, 1},
                                      {"B7", effnet::b7, 0},
                                      {"V2-M", effnet::v2_m, 0}};
  const int batch = at.number({.smoke = 2, .mini = 4, .full = 32});
  const double gigabytes = at.pick<double>({.smoke = 0.2, .mini = 4, .full = 40});
  // The ends of V2-S's progressive learning.
  const effnet::network_spec trained = published_network(at, effnet::v2_s);
  const int small = at.number({.smoke = 32, .mini = 128, .full = 128});
  const int large = at.number({.smoke = 64, .mini = 300, .full = 300});
  const auto step = [](int size) { return effnet::sentence("V2-S, training at ", size); };
  const auto early = [=](effnet::block_op op) {
    return timed_block::of(at, "V2-S", effnet::v2_s, 2, op, batch);
  };
  const timed_block mbconv = early(effnet::block_op::mbconv);
  const timed_block fused = early(effnet::block_op::fused_mbconv);

  experiment made{.name = "claims",
                  .title = "Claims in sentences",
                  .source = "EfficientNet, EfficientNetV2",
                  .differs =
                      "The published networks, in float32 on this processor instead of a Xeon "
                      "E5-2690, TPUs and a V100; nothing is trained."};
  for (const row& of : latencies) {
    const effnet::network_spec spec = published_network(at, of.network);
    made.time(of.name, {.network = spec, .size = spec.eval_size, .threads = of.threads});
  }
  mbconv.add_to(made), fused.add_to(made);
  for (const int size : {small, large})
    made.time(step(size), {.network = trained, .size = size, .batch = batch, .of_training = true});

  made.report = [=](const outcomes& all) {
    const auto parameters = [](const effnet::network_spec& of) {
      return double(effnet::count_parameters(of));
    };
    const auto rate = [&](const timed_block& of) {
      return all.by_round(
          [&](const outcomes& round) { return of.giga_operations_per_second(round, true); });
    };
    section to;
    constexpr double gpipe_parameters = 557e6;
    to.add(at_least("B7 is 8.4 times smaller than GPipe's network, of the same accuracy", "8.4x",
                    gpipe_parameters / parameters(effnet::b7), 8.35));
    to.add(at_least("B1 is 7.6 times smaller than ResNet-152", "7.6x",
                    parameters(effnet::resnet152) / parameters(effnet::b1), 7.55));
    to.add(faster("B1 is faster than ResNet-152 on one core, one image at once",
                  "5.7x (0.554 s, 0.098 s)", all.seconds("ResNet-152, one core"),
                  all.seconds("B1, one core")));
    to.add(faster("V2 infers faster than V1 of the same accuracy: V2-M against B7", "up to 3x",
                  all.seconds("B7"), all.seconds("V2-M")));
    for (const int channels : {16, 64, 256})
      to.add(at_least(effnet::sentence("A separable 3x3 convolution of ", channels,
                                       " channels takes 8 to 9 times fewer multiply-adds"),
                      "8-9x", separable_saving(channels), 8));

    to.add(
        faster("Depthwise convolutions are slow in early stages: training of V2-S's stage 2 is "
               "faster with Fused-MBConv",
               "said without a number", mbconv.by_round(all, true), fused.by_round(all, true)));
    to.add(faster("Fused-MBConv does more operations a second there than MBConv",
                  "said without a number", rate(fused), rate(mbconv)));

    fitting_batch largest(trained, gigabytes);
    const int fits_small = largest.at(small), fits_large = largest.at(large);
    claim batches =
        at_least(effnet::sentence("Larger images force smaller batches: V2-S in ", gigabytes,
                                  " GB at ", small, " and ", large, " pixels"),
                 "said without a number", double(fits_small) / double(fits_large), 1.1);
    batches.measured = effnet::sentence(fits_small, " and ", fits_large);
    to.add(std::move(batches));
    to.add(faster(effnet::sentence("Larger images slow training: V2-S at ", small,
                                   " is faster than at ", large, " pixels"),
                  "said without a number", all.seconds(step(large)), all.seconds(step(small))));
    to.remark(
        "B7 is also 6.1 times faster than GPipe's network in the paper (3.1 s against 19.0 s on "
        "one "
        "core, which is 6.13); that network is not built here.");
    to.remark(
        "How much faster a network is depends on the machine; how much smaller it is does not. A "
        "separable convolution of C channels takes 9C / (9 + C) times fewer multiply-adds, which "
        "is 8 from 72 channels on and always below 9.");
    return to;
  };
  return made;
}

}  // namespace example
