#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <effnet/nn/memory_plan.hpp>
#include <effnet/train/training_run.hpp>

#include "text_table.hpp"

namespace example {

/// What every stage of a run looks like.
inline text_table schedule_table(const effnet::training_run& run) {
  text_table table;
  for (const char* title : {"stage", "steps", "epochs", "size", "batch", "RandAugment", "mixup",
                            "cutmix", "dropout", "depth drop", "erasing", "learning rate"})
    table.column(title);
  const auto number = [](float value) {
    return value == 0 ? std::string("-") : fixed(static_cast<double>(value), 2);
  };
  int stage = 0;
  for (const auto& row : run.rows()) {
    ++stage;
    if (row.last < row.first) continue;
    char rate[64];
    // From where the warm-up ends, where that is in this stage.
    const std::int64_t highest = std::clamp(run.rate().warmup_steps(), row.first, row.last);
    const double factor = static_cast<double>(row.stage.learning_rate_factor);
    std::snprintf(rate, sizeof rate, "%.3g .. %.3g", run.rate().at(highest) * factor,
                  row.last_rate);
    const bool drawn = run.is_drawn();
    const double epochs = run.epoch_at(row.last + 1) - run.epoch_at(row.first);
    table.row({std::to_string(stage),
               drawn ? "drawn" : effnet::sentence(row.first, " .. ", row.last),
               drawn ? "" : fixed(epochs, 1), std::to_string(row.stage.size),
               std::to_string(row.batch), number(row.stage.rand_augment), number(row.stage.mixup),
               number(row.stage.cutmix), number(row.stage.dropout),
               number(row.stage.stochastic_depth), number(row.stage.random_erasing), rate});
  }
  return table;
}

/// Memory that training takes, by part of the network and, in a column each, by stage of the run.
struct planned_memory {
  std::string title;  ///< "128 px x 64"
  effnet::memory_plan plan;
  std::size_t state = 0;  ///< optimizer and averages

  std::size_t total() const { return plan.total() + state; }
};

inline text_table memory_table(const std::vector<planned_memory>& stages) {
  text_table table;
  table.column("MB", text_table::side::left);
  for (const planned_memory& stage : stages) table.column(stage.title);
  const auto add = [&](std::string name, auto bytes) {
    std::vector<std::string> cells = {std::move(name)};
    for (const planned_memory& stage : stages)
      cells.push_back(fixed(static_cast<double>(bytes(stage)) / 1e6, 1));
    table.row(std::move(cells));
  };
  if (stages.empty()) return table;
  for (std::size_t i = 0; i < stages[0].plan.rows.size(); ++i)
    add(stages[0].plan.rows[i].name + ", kept for the backward pass",
        [i](const planned_memory& of) { return of.plan.rows.at(i).saved; });
  add("all activations", [](const planned_memory& of) { return of.plan.activations; });
  add("scratch", [](const planned_memory& of) { return of.plan.scratch; });
  add("weights and gradients",
      [](const planned_memory& of) { return of.plan.values + of.plan.gradients; });
  add("their copies for kernels", [](const planned_memory& of) { return of.plan.packed; });
  add("optimizer and averages", [](const planned_memory& of) { return of.state; });
  add("total", [](const planned_memory& of) { return of.total(); });
  return table;
}

}  // namespace example
