#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <effnet/nn/training_network.hpp>
#include <effnet/train/largest_batch.hpp>
#include <effnet/train/training_run.hpp>

#include "training/run_choices.hpp"
#include "training/run_options.hpp"
#include "training/run_recipe.hpp"
#include "training/training_tables.hpp"

namespace example {

/// Plans steps on a network's behalf.
template <effnet::training_backend B>
class memory_planner {
 public:
  memory_planner(const effnet::weights& start, const run_recipe& recipe, const B& on)
      : network_(start, on, recipe.settings.network), parts_(recipe.settings.accumulation) {
    std::size_t elements = 0;
    for (std::size_t i = 0; i < network_.tensors().size(); ++i)
      elements += network_.values(i).size();
    const auto slots = effnet::with_optimizer(recipe.settings.optimizer, [](const auto& rule) {
      return std::size_t{std::decay_t<decltype(rule)>::slot_count};
    });
    state_ = sizeof(float) * elements * (slots + (recipe.settings.averaged ? 1 : 0) + (parts_ > 1));
  }

  effnet::memory_plan plan(effnet::shape4 images) {
    images.n = (images.n + parts_ - 1) / parts_;
    return network_.plan(images);
  }
  /// Optimizer and averages.
  std::size_t state() const { return state_; }
  /// Batches that wait.
  static std::size_t loading(effnet::shape4 images) {
    return 4 * sizeof(float) * images.elements();
  }

 private:
  effnet::training_network<B> network_;
  int parts_;
  std::size_t state_ = 0;
};

/// Whole eights, or the largest power of two below.
inline int round_batch(int batch) {
  if (batch >= 8) return batch / 8 * 8;
  int rounded = 1;
  while (rounded * 2 <= batch) rounded *= 2;
  return rounded;
}

/// Chooses the batch that the user left open, for half of the free memory unless told.
template <effnet::training_backend B>
void choose_batch(effnet::run_settings& settings, const run_options& given, std::int64_t images,
                  std::size_t free_memory, memory_planner<B>& planner) {
  constexpr std::int64_t most_unasked = 256;
  const auto limit = static_cast<std::size_t>(given.memory ? *given.memory * 1e9
                                                           : static_cast<double>(free_memory) / 2);
  // A sixteenth of the data leaves steps enough in an epoch.
  const std::int64_t of_data = std::max<std::int64_t>(8, images / 16);
  const bool fits = !given.batch.empty() && !given_batch(given);
  const int most = static_cast<int>(std::min<std::int64_t>(
      images,
      fits || settings.batch > most_unasked ? std::min(most_unasked, of_data) : settings.batch));
  const auto largest = [&](int size) {
    return effnet::largest_batch(size, 3, limit, planner.state(), most, [&](effnet::shape4 shape) {
      effnet::memory_plan plan = planner.plan(shape);
      plan.scratch += memory_planner<B>::loading(shape);
      return plan;
    });
  };
  int at_end = largest(settings.stages.back().size);
  if (fits || at_end < most) at_end = round_batch(at_end);
  settings.batch = at_end;
  if (given.batch != "auto-per-stage") return;
  for (effnet::training_stage& stage : settings.stages) {
    const int here = std::max(at_end, round_batch(largest(stage.size)));
    stage.batch_factor = static_cast<float>(here) / static_cast<float>(at_end);
    stage.learning_rate_factor = stage.batch_factor;
  }
}

template <effnet::training_backend B>
std::vector<planned_memory> planned(const effnet::training_run& run, memory_planner<B>& planner) {
  std::vector<planned_memory> memory;
  for (const auto& row : run.rows()) {
    const effnet::shape4 images{static_cast<int>(row.batch), row.stage.size, row.stage.size, 3};
    const bool known = std::ranges::any_of(memory, [&](const auto& one) {
      return one.title == effnet::sentence(images.h, " px x ", images.n);
    });
    if (known || row.last < row.first) continue;
    memory.push_back({.title = effnet::sentence(images.h, " px x ", images.n),
                      .plan = planner.plan(images),
                      .state = planner.state()});
  }
  return memory;
}

}  // namespace example
