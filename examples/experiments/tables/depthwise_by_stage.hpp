#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "experiments/experiment.hpp"
#include "experiments/tables/cells.hpp"
#include "experiments/tables/timed_block.hpp"

namespace example {

/// EfficientNetV2, section 3: what fusing gains and costs, stage by stage.
inline experiment depthwise_by_stage(const scale& at) {
  struct row {
    int stage, repeats;  ///< from 1; blocks of the stage in the network
    timed_block mbconv, fused;

    const timed_block& block(bool is_fused) const { return is_fused ? fused : mbconv; }
  };
  struct table {
    const char* name;
    effnet::network_spec network;
    const char* published;  ///< of fusing the first three stages
    std::vector<row> rows = {};
  };
  const int batch = at.number({.smoke = 2, .mini = 4, .full = 32});

  experiment made{.name = "depthwise_by_stage",
                  .title = "Depthwise and fused blocks, stage by stage",
                  .source = "EfficientNetV2, section 3",
                  .differs =
                      "Blocks of the real channels and map sides in batches of 4 on a processor "
                      "instead of whole networks on TPUs and a V100."};
  std::vector<table> tables = {{"B4", effnet::b4, "1.38x of the whole network (TPU)"},
                               {"V2-S", effnet::v2_s, "said without a number"}};
  for (table& of : tables)
    for (int stage = 1; stage <= of.network.stages.count; ++stage) {
      const auto block = [&](effnet::block_op op) {
        return timed_block::of(at, of.name, of.network, stage, op, batch);
      };
      const row made_row = {
          .stage = stage,
          .repeats = of.network.stages[static_cast<std::size_t>(stage - 1)].repeats,
          .mbconv = block(effnet::block_op::mbconv),
          .fused = block(effnet::block_op::fused_mbconv)};
      made_row.mbconv.add_to(made), made_row.fused.add_to(made);
      of.rows.push_back(made_row);
    }
  made.report = [=](const outcomes& all) {
    using enum text_table::side;
    // Of all blocks of some stages, as if all were of one kind.
    struct sum {
      double seconds = 0, operations = 0;
    };
    const auto total = [](const outcomes& from, const table& of, bool fused, bool training,
                          int first, int last) -> std::optional<sum> {
      sum of_all;
      for (const row& one : of.rows) {
        if (one.stage < first || one.stage > last) continue;
        const auto took = one.block(fused).seconds(from, training);
        if (!took) return std::nullopt;
        of_all.seconds += one.repeats * *took;
        of_all.operations += one.repeats * one.block(fused).giga_operations(training);
      }
      return of_all;
    };
    section to;
    for (const table& of : tables) {
      text_table measured;
      measured.column("stage");
      measured.column("block", left);
      for (const char* title : {"channels", "map side", "MACs an image", "inference ms", "GFLOP/s",
                                "% of all", "training ms", "GFLOP/s", "% of all"})
        measured.column(title);
      for (const row& one : of.rows)
        for (const bool fused : {false, true}) {
          const timed_block& block = one.block(fused);
          std::vector<std::string> line = {
              std::to_string(one.stage), fused ? "Fused-MBConv" : "MBConv",
              std::to_string(block.stage.out), std::to_string(block.side),
              cells::millions(block.macs())};
          for (const bool training : {false, true}) {
            const auto took = block.seconds(all, training);
            const auto whole = total(all, of, fused, training, 1, 99);
            line.push_back(cells::milliseconds(took));
            line.push_back(took ? fixed(block.giga_operations(training) / *took, 1) : "");
            line.push_back(took && whole ? fixed(100 * one.repeats * *took / whole->seconds, 1)
                                         : "");
          }
          measured.row(std::move(line));
        }
      to.add(effnet::sentence("One block of each stage of ", of.name, " for ", batch,
                              " images; % of all: the stage's share of the time of all blocks"),
             measured);
      line_chart chart(effnet::sentence(of.name, ": time of Fused-MBConv over that of MBConv"),
                       {.title = "stage"}, {.title = "ratio", .least = 0});
      for (const bool training : {false, true}) {
        chart_line line{.name = training ? "training" : "inference",
                        .points = {},
                        .color = training,
                        .look = chart_line::form::dotted};
        for (const row& one : of.rows)
          if (const auto ratio =
                  cells::ratio(one.fused.seconds(all, training), one.mbconv.seconds(all, training)))
            line.points.push_back({double(one.stage), *ratio});
        chart.add(std::move(line));
      }
      to.add(chart);
    }
    for (const table& of : tables) {
      // Of stages `first` to `last`, round by round.
      const auto time = [&](bool fused, int first, int last) {
        return all.by_round([&](const outcomes& round) {
          const auto found = total(round, of, fused, true, first, last);
          return found ? std::optional(found->seconds) : std::nullopt;
        });
      };
      const auto rate = [&](bool fused) {
        return all.by_round([&](const outcomes& round) {
          const auto found = total(round, of, fused, true, 1, 99);
          return found ? std::optional(found->operations / found->seconds) : std::nullopt;
        });
      };
      to.add(faster(effnet::sentence("Training of stages 1-3 of ", of.name,
                                     " is faster with Fused-MBConv than with MBConv"),
                    of.published, time(false, 1, 3), time(true, 1, 3)));
      to.add(faster(effnet::sentence("Training of the later stages of ", of.name,
                                     " is faster with MBConv than with Fused-MBConv"),
                    "said without a number", time(true, 4, 99), time(false, 4, 99)));
      to.add(faster(effnet::sentence("Blocks with depthwise convolutions do fewer operations a "
                                     "second than fused ones, over all stages of ",
                                     of.name),
                    "said without a number", rate(true), rate(false)));
    }
    to.remark(
        "MBConv has squeeze-excite (0.25), Fused-MBConv none; both have the stage's kernel and "
        "expand ratio. A block's time is half of what two more blocks add to a network. A training "
        "step counts as three forward passes.");
    return to;
  };
  return made;
}

}  // namespace example
