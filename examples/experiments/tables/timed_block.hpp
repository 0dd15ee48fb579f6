#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include <effnet/arch/count.hpp>
#include <effnet/arch/scaling.hpp>
#include <effnet/core/error.hpp>

#include "experiments/experiment.hpp"
#include "experiments/tables/cells.hpp"

namespace example {

/// Time of one block of a stage at the stage's map side: what two more of it add to a network that
/// has only this stage, so that the layers around the blocks drop out.
struct timed_block {
  std::string name;  ///< of its trials: "B4 stage 1, MBConv"
  effnet::stage_spec stage;
  int side = 0, batch = 1;

  /// Of a network's stage, counted from 1, but for its change of channels and its stride.
  static timed_block of(const scale& at, const std::string& name,
                        const effnet::network_spec& network, int number, effnet::block_op op,
                        int batch) {
    int side = effnet::strided(network.eval_size, 2);
    effnet::stage_spec stage;
    for (int i = 0; i < number; ++i) {
      stage = network.stages[static_cast<std::size_t>(i)];
      side = effnet::strided(side, stage.stride);
    }
    const bool is_mbconv = op == effnet::block_op::mbconv;
    stage.op = op, stage.stride = 1, stage.se = is_mbconv ? 0.25f : 0;
    if (at.name == scale_name::smoke) {
      stage.out = effnet::scaled_channels(stage.out, 0.125, effnet::channel_rounding::guarded);
      side = std::min(side, 16);
    }
    stage.in = stage.out;
    return {effnet::sentence(name, " stage ", number, is_mbconv ? ", MBConv" : ", Fused-MBConv"),
            stage, side, batch};
  }

  effnet::network_spec network(int blocks) const {
    effnet::network_spec spec{.name = "blocks",
                              .stem = stage.in,
                              .stem_pool = halves_twice(),
                              .stages = {stage},
                              .head = 0,
                              .classes = 10,
                              .train_size = image(),
                              .eval_size = image()};
    spec.stages[0].repeats = blocks;
    return spec;
  }
  int image() const { return (halves_twice() ? 4 : 2) * side; }

  /// Multiply-adds of one block for one image.
  double macs() const {
    const auto total = [&](int blocks) { return effnet::count_macs(network(blocks), image()); };
    return static_cast<double>(total(3) - total(1)) / 2;
  }

  void add_to(experiment& to) const {
    for (const bool training : {false, true})
      for (const int blocks : {1, 3})
        to.time(
            trial_name(training, blocks),
            {.network = network(blocks), .size = image(), .batch = batch, .of_training = training});
  }
  /// Seconds of one block for the batch; nothing where noise is larger.
  std::optional<double> seconds(const outcomes& all, bool training) const {
    const auto one = all.time(trial_name(training, 1)), three = all.time(trial_name(training, 3));
    if (!one || !three || *three <= *one) return std::nullopt;
    return (*three - *one) / 2;
  }
  std::map<int, double> by_round(const outcomes& all, bool training) const {
    return all.by_round([&](const outcomes& round) { return seconds(round, training); });
  }
  /// Billion operations that take those seconds: two a multiply-add, and a backward pass as two
  /// forward passes.
  double giga_operations(bool training) const { return 2e-9 * (training ? 3 : 1) * batch * macs(); }
  std::optional<double> giga_operations_per_second(const outcomes& all, bool training) const {
    return cells::ratio(giga_operations(training), seconds(all, training));
  }

 private:
  /// Images that are trained on have 32 pixels or more.
  bool halves_twice() const { return side < 16; }
  std::string trial_name(bool training, int blocks) const {
    return effnet::sentence(name, ", ", training ? "training" : "inference", ", ", blocks,
                            blocks == 1 ? " block" : " blocks");
  }
};

}  // namespace example
