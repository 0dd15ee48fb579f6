#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/search/calibrated_times.hpp>
#include <effnet/search/measured_times.hpp>
#include <effnet/search/prediction_error.hpp>
#include <effnet/search/search_space.hpp>

#include "search/timed_in_rounds.hpp"
#include "text_table.hpp"

namespace example {

/// How well sums of block times tell the step time of a whole network: networks are drawn from a
/// space, their shapes timed, then the networks themselves. The first few put the sums right by a
/// line; how well that tells the others, which it has not seen, is the result.
class step_study {
 public:
  step_study(const effnet::search_space& space, int size, int calibrated_on,
             const effnet::timing& how)
      : space_(space), size_(size), calibrated_on_(calibrated_on), how_(how) {}

  template <effnet::training_backend B>
  void run(int networks, std::uint64_t seed, const B& on, bool shown) {
    const auto seconds_of = [&](const effnet::network_spec& spec, int height, int width) {
      return effnet::measured_step(spec, height, width, on, how_);
    };
    const std::size_t all = static_cast<std::size_t>(networks + calibrated_on_);
    std::vector<effnet::network_spec> drawn;
    std::set<std::string> shapes;
    for (std::uint64_t n = 0; drawn.size() < all; ++n) {
      effnet::random_draws draws(seed, 3, n, effnet::draw_purpose::search);
      drawn.push_back(space_.decode(space_.sample(draws)));
      shapes.merge(keys_of(drawn.back()));
    }
    shapes_ = shapes.size();
    timed_networks timed{.of_blocks = drawn, .whole = {}, .unseen = {}};
    timed.whole.assign(drawn.begin(), drawn.begin() + calibrated_on_);
    timed.unseen.assign(drawn.begin() + calibrated_on_, drawn.end());
    const auto begin = clock::now();
    std::tie(times_, measured_) = timed_in_rounds(timed, size_, seconds_of, shown);
    seconds_ = std::chrono::duration<double>(clock::now() - begin).count();
    for (const effnet::network_spec& spec : timed.unseen) {
      sums_.push_back(times_.blocks.of(spec, size_));
      predicted_.push_back(times_.of(spec, size_));
    }
  }

  void print() const {
    const effnet::prediction_error error = effnet::error_of(predicted_, measured_);
    text_table table;
    for (const char* title : {"network", "predicted ms", "measured ms", "difference %"})
      table.column(title);
    for (std::size_t i = 0; i < measured_.size(); ++i)
      table.row({std::to_string(i + 1), fixed(1e3 * predicted_[i], 2), fixed(1e3 * measured_[i], 2),
                 fixed(100 * (predicted_[i] / measured_[i] - 1), 1)});
    const effnet::prediction_error of_sums = effnet::error_of(sums_, measured_);
    std::printf(
        "training steps of %d images of %d x %d pixels: %zu shapes, all timed in %.1f s, put right "
        "by "
        "%d networks: %.3f ms + %.3f x sum\n\n"
        "%s\n%zu networks that were not seen: Spearman's rank correlation %.3f, mean relative "
        "error "
        "%.1f %% (of plain sums %.3f, %.1f %%)\n",
        how_.batch, size_, size_, shapes_, seconds_, calibrated_on_, 1e3 * times_.by.offset,
        times_.by.factor, table.text().c_str(), measured_.size(), error.spearman,
        100 * error.mean_relative, of_sums.spearman, 100 * of_sums.mean_relative);
  }
  nlohmann::ordered_json json() const {
    const effnet::prediction_error error = effnet::error_of(predicted_, measured_);
    return {{"batch", how_.batch},
            {"size", size_},
            {"shapes", shapes_},
            {"seconds", seconds_},
            {"calibrated_on", calibrated_on_},
            {"offset", times_.by.offset},
            {"factor", times_.by.factor},
            {"predicted", predicted_},
            {"measured", measured_},
            {"spearman", error.spearman},
            {"mean_relative_error", error.mean_relative},
            {"table", times_.blocks.seconds()}};
  }

 private:
  using clock = std::chrono::steady_clock;

  std::set<std::string> keys_of(const effnet::network_spec& spec) const {
    const std::vector<std::string> keys = effnet::block_times().missing(spec, size_);
    return {keys.begin(), keys.end()};
  }

  const effnet::search_space& space_;
  int size_, calibrated_on_;
  effnet::timing how_;
  effnet::calibrated_times times_;
  std::size_t shapes_ = 0;
  double seconds_ = 0;
  std::vector<double> sums_, predicted_, measured_;
};

}  // namespace example
