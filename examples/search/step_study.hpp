#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/search/prediction_error.hpp>
#include <effnet/search/search_space.hpp>
#include <effnet/search/step_times.hpp>

#include "progress_bar.hpp"
#include "text_table.hpp"

namespace example {

/// How well sums of block times tell the step time of a whole network: networks are drawn from a
/// space, their shapes timed, then the networks themselves.
class step_study {
 public:
  step_study(const effnet::search_space& space, int size, const effnet::step_timing& how)
      : space_(space), size_(size), how_(how) {}

  template <effnet::training_backend B>
  void run(int networks, std::uint64_t seed, const B& on, bool shown) {
    std::vector<effnet::network_spec> drawn;
    std::set<std::string> shapes;
    for (std::uint64_t n = 0; drawn.size() < static_cast<std::size_t>(networks); ++n) {
      effnet::random_draws draws(seed, 3, n, effnet::draw_purpose::search);
      drawn.push_back(space_.decode(space_.sample(draws)));
      shapes.merge(keys_of(drawn.back()));
    }
    shapes_ = shapes.size();
    const auto begin = clock::now();
    progress_bar timing("shapes", shapes_, shown);
    for (const effnet::network_spec& spec : drawn) {
      const std::size_t before = times_.seconds().size();
      times_.add(spec, size_, on, how_);
      if (times_.seconds().size() > before) timing.advance(times_.seconds().size() - before);
    }
    timing.clear();
    table_seconds_ = std::chrono::duration<double>(clock::now() - begin).count();
    progress_bar checking("networks", drawn.size(), shown);
    for (const effnet::network_spec& spec : drawn) {
      predicted_.push_back(times_.of(spec, size_));
      measured_.push_back(effnet::measured_step(spec, size_, size_, on, how_));
      checking.advance();
    }
    checking.clear();
  }

  void print() const {
    const effnet::prediction_error error = effnet::error_of(predicted_, measured_);
    text_table table;
    for (const char* title : {"network", "predicted ms", "measured ms", "difference %"})
      table.column(title);
    for (std::size_t i = 0; i < measured_.size(); ++i)
      table.row({std::to_string(i + 1), fixed(1e3 * predicted_[i], 2), fixed(1e3 * measured_[i], 2),
                 fixed(100 * (predicted_[i] / measured_[i] - 1), 1)});
    std::printf(
        "training steps of %d images of %d x %d pixels: %zu shapes timed in %.1f s, %zu "
        "networks\n\n"
        "%s\nSpearman's rank correlation %.3f, mean relative error %.1f %%\n",
        how_.batch, size_, size_, shapes_, table_seconds_, measured_.size(), table.text().c_str(),
        error.spearman, 100 * error.mean_relative);
  }
  nlohmann::ordered_json json() const {
    const effnet::prediction_error error = effnet::error_of(predicted_, measured_);
    return {{"batch", how_.batch},        {"size", size_},
            {"shapes", shapes_},          {"table_seconds", table_seconds_},
            {"predicted", predicted_},    {"measured", measured_},
            {"spearman", error.spearman}, {"mean_relative_error", error.mean_relative},
            {"table", times_.seconds()}};
  }

 private:
  using clock = std::chrono::steady_clock;

  std::set<std::string> keys_of(const effnet::network_spec& spec) const {
    const std::vector<std::string> keys = effnet::step_times().missing(spec, size_);
    return {keys.begin(), keys.end()};
  }

  const effnet::search_space& space_;
  int size_;
  effnet::step_timing how_;
  effnet::step_times times_;
  std::size_t shapes_ = 0;
  double table_seconds_ = 0;
  std::vector<double> predicted_, measured_;
};

}  // namespace example
