#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <effnet/nn/memory_plan.hpp>
#include <effnet/train/learning_rate.hpp>
#include <effnet/train/progressive.hpp>

#include "text_table.hpp"

namespace example {

/// Steps that belong to each stage, in a row or drawn.
inline std::vector<std::int64_t> steps_of_stages(const effnet::progressive_schedule& schedule) {
  std::vector<std::int64_t> counts(schedule.stages.size());
  for (std::int64_t step = 0; step < schedule.total_steps; ++step)
    ++counts[schedule.stage_at(step)];
  return counts;
}

/// What every stage of a run looks like. `batch` and `rate` are the run's, before the factors of a
/// stage.
inline text_table schedule_table(const effnet::progressive_schedule& schedule, std::int64_t batch,
                                 std::int64_t images, const effnet::learning_rate& rate) {
  text_table table;
  for (const char* title : {"stage", "steps", "epochs", "size", "batch", "RandAugment", "mixup",
                            "cutmix", "dropout", "depth drop", "erasing", "learning rate"})
    table.column(title);
  const bool in_turn = schedule.mode == effnet::progressive_mode::progressive ||
                       schedule.mode == effnet::progressive_mode::resize_only;
  const std::vector<std::int64_t> counts = steps_of_stages(schedule);
  std::int64_t begun = 0;
  const auto number = [](float value) {
    return value == 0 ? std::string("-") : fixed(static_cast<double>(value), 2);
  };
  for (std::size_t i = 0; i < schedule.stages.size(); ++i) {
    if (counts[i] == 0) continue;
    const bool last_regularized = schedule.mode == effnet::progressive_mode::resize_only ||
                                  schedule.mode == effnet::progressive_mode::random_resize;
    const effnet::training_stage& sized = schedule.stages[i];
    const effnet::training_stage& looks = last_regularized ? schedule.stages.back() : sized;
    const std::int64_t stage_batch = sized.batch(batch);
    const auto factor = static_cast<double>(sized.learning_rate_factor);
    char learning_rate[64];
    const std::int64_t first = in_turn ? begun : 0;
    const std::int64_t last = in_turn ? begun + counts[i] : schedule.total_steps;
    std::snprintf(learning_rate, sizeof learning_rate, "%.3g .. %.3g",
                  rate.at(std::max(first, std::min(rate.warmup_steps(), last - 1))) * factor,
                  rate.at(last - 1) * factor);
    table.row({std::to_string(i + 1),
               in_turn ? effnet::sentence(begun, " .. ", begun + counts[i])
                       : effnet::sentence(grouped(counts[i]),
                                          counts[i] == schedule.total_steps ? "" : " drawn"),
               fixed(static_cast<double>(counts[i] * stage_batch) / static_cast<double>(images), 1),
               std::to_string(sized.size), std::to_string(stage_batch), number(looks.rand_augment),
               number(looks.mixup), number(looks.cutmix), number(looks.dropout),
               number(looks.stochastic_depth), number(looks.random_erasing), learning_rate});
    begun += counts[i];
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
