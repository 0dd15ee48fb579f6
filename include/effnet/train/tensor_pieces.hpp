#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include <effnet/core/config.hpp>
#include <effnet/math/four_floats.hpp>
#include <effnet/math/update.hpp>
#include <effnet/train/optimizer.hpp>

namespace effnet {

/// A piece of a tensor and all that a step changes with it, in the backend's memory; null where it
/// has none. Pieces are of bounded length, so that threads can share them; they depend on the
/// tensors alone, so that sums over them have the same bits on any number of threads.
struct tensor_piece {
  static constexpr std::size_t longest = 1 << 14;
  static constexpr std::size_t most_slots = 2;

  std::size_t count = 0;
  std::size_t tensor = 0;
  double rate_factor = 1;
  bool decays = false;
  float *values = nullptr, *gradient = nullptr;
  std::array<float*, most_slots> slots = {};  ///< of the optimizer
  float* average = nullptr;
  float* sum = nullptr;   ///< of gradients, while they are accumulated
  float* kept = nullptr;  ///< a running statistic, as before the step

  /// The part that begins with element `at`.
  tensor_piece part(std::size_t at) const {
    tensor_piece some = *this;
    some.count = std::min(longest, count - at);
    for (float** pointer : {&some.values, &some.gradient, &some.slots[0], &some.slots[1],
                            &some.average, &some.sum, &some.kept})
      if (*pointer != nullptr) *pointer += at;
    return some;
  }
};

/// The pieces of a whole tensor.
inline void add_pieces(const tensor_piece& whole, std::vector<tensor_piece>& to) {
  for (std::size_t at = 0; at < whole.count; at += tensor_piece::longest)
    to.push_back(whole.part(at));
}

/// Moving averages begin as the values.
struct start_averages {
  const tensor_piece* pieces;

  EFFNET_HD void operator()(std::size_t piece, std::size_t lane, std::size_t lanes) const {
    const tensor_piece p = pieces[piece];
    math::for_each_of_lane(p.count, lane, lanes,
                           [&](std::size_t i) { p.average[i] = p.values[i]; });
  }
};

/// Running statistics, put aside before a step or back after one that was none.
struct copy_statistics {
  const tensor_piece* pieces;
  bool back;

  EFFNET_HD void operator()(std::size_t piece, std::size_t lane, std::size_t lanes) const {
    const tensor_piece p = pieces[piece];
    const float* from = back ? p.kept : p.values;
    float* to = back ? p.values : p.kept;
    math::for_each_of_lane(p.count, lane, lanes, [&](std::size_t i) { to[i] = from[i]; });
  }
};

/// Adds a part's share of gradients to the sums, and puts these in their place at the end.
struct gather_gradients {
  const tensor_piece* pieces;
  float share;
  bool first, last;

  EFFNET_HD void operator()(std::size_t piece, std::size_t lane, std::size_t lanes) const {
    const tensor_piece p = pieces[piece];
    if (p.gradient == nullptr) return;
    math::for_each_of_lane(p.count, lane, lanes, [&](std::size_t i) {
      const float total = (first ? 0 : p.sum[i]) + share * p.gradient[i];
      (last ? p.gradient : p.sum)[i] = total;
    });
  }
};

/// Optimizer and moving average of one piece after the other, while it is in the cache.
template <class Rule>
struct update_pieces {
  static_assert(Rule::slot_count <= tensor_piece::most_slots);

  const tensor_piece* pieces;
  Rule rule;
  double rate;
  std::int64_t steps_done;
  const double* scales;  ///< of tensors' gradients; null: 1
  float average_moves;   ///< share of the values that goes into the averages

  EFFNET_HD void operator()(std::size_t piece, std::size_t lane, std::size_t lanes) const {
    const tensor_piece p = pieces[piece];
    if (p.gradient != nullptr) {
      if (scales != nullptr)
        math::for_each_of_lane(p.count, lane, lanes, [&](std::size_t i) {
          p.gradient[i] = static_cast<float>(static_cast<double>(p.gradient[i]) * scales[p.tensor]);
        });
      std::array<float*, 1 + Rule::slot_count> changed{p.values};
      for (std::size_t s = 0; s < Rule::slot_count; ++s) changed[1 + s] = p.slots[s];
      math::for_each_element(changed, p.gradient, p.count,
                             rule.element_step({.learning_rate = rate * p.rate_factor,
                                                .steps_done = steps_done,
                                                .decays = p.decays}),
                             lane, lanes);
    }
    if (p.average != nullptr)
      math::for_each_of_lane(p.count, lane, lanes, [&](std::size_t i) {
        math::moving_average(p.average[i], p.values[i], average_moves);
      });
  }
};

}  // namespace effnet
