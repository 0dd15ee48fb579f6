#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/search/mean_and_error.hpp>

#include "text_table.hpp"

namespace example {

/// What was measured says of a sentence.
enum class verdict { holds, contradicted, not_resolved, missing };

inline std::string_view text_of(verdict of) {
  constexpr std::string_view texts[] = {"holds", "contradicted", "not resolved", "not run yet"};
  return texts[static_cast<std::size_t>(of)];
}

/// A sentence of the papers, and what became of it here.
struct claim {
  std::string sentence, published, measured;
  verdict result = verdict::missing;
};

/// How much one number is above another, over the pairs, as of seeds, that there are of both.
struct paired_difference {
  double mean = 0, error = 0;  ///< standard error; NaN where a single pair leaves it unknown
  std::size_t pairs = 0;

  paired_difference(const std::map<int, double>& a, const std::map<int, double>& b) {
    std::vector<double> differences;
    for (const auto& [seed, value] : a)
      if (const auto other = b.find(seed); other != b.end())
        differences.push_back(value - other->second);
    const effnet::mean_and_error of(differences);
    pairs = differences.size();
    mean = of.mean, error = pairs > 1 ? of.error : std::nan("");
  }

  /// Of the sentence that the first number is above the second.
  verdict above() const {
    if (pairs == 0) return verdict::missing;
    if (!(std::abs(mean) > 2 * error)) return verdict::not_resolved;  // nor with an unknown error
    return mean > 0 ? verdict::holds : verdict::contradicted;
  }
  /// Of the sentence that the first number is no lower than the second, but for `margin`.
  verdict not_below(double margin) const {
    if (pairs == 0) return verdict::missing;
    if (mean - 2 * error > -margin) return verdict::holds;
    if (mean + 2 * error < -margin) return verdict::contradicted;
    return verdict::not_resolved;  // as with an unknown error
  }
  std::string text(std::string_view unit, std::string_view over = "seed") const {
    if (pairs == 0) return "";
    const std::string sign = mean < 0 ? "" : "+";
    if (pairs == 1) return effnet::sentence(sign, fixed(mean, 1), unit, ", one ", over);
    return effnet::sentence(sign, fixed(mean, 1), " ± ", fixed(error, 1), unit, ", ", pairs, " ",
                            over, "s");
  }
};

/// That top-1 is higher with the first than with the second, by seeds or whatever else the pairs
/// are `over`.
inline claim more_accurate(std::string sentence, std::string published,
                           const std::map<int, double>& first, const std::map<int, double>& second,
                           std::string_view over = "seed") {
  const paired_difference by(first, second);
  return {std::move(sentence), std::move(published), by.text(" points", over), by.above()};
}

/// That the second takes less time than the first. Their ratio is resolved where it is further from
/// 1 than a twentieth and than two standard errors of the pairs, of seeds or rounds; that of a
/// single pair where it is further than a quarter.
inline claim faster(std::string sentence, std::string published, const std::map<int, double>& slow,
                    const std::map<int, double>& fast) {
  std::vector<double> logarithms;
  for (const auto& [round, seconds] : slow)
    if (const auto other = fast.find(round); other != fast.end())
      logarithms.push_back(std::log(seconds / other->second));
  claim made{std::move(sentence), std::move(published), "", verdict::missing};
  // A round that is lost in noise says that the others are, too.
  if (logarithms.empty() ||
      std::ranges::any_of(logarithms, [](double of) { return std::isnan(of); }))
    return made;
  const effnet::mean_and_error of(logarithms);
  const bool is_single = logarithms.size() == 1;
  const double noise = is_single ? std::log(1.25) : std::max(std::log(1.05), 2 * of.error);
  made.measured = fixed(std::exp(of.mean), 2) + "x";
  if (!is_single) made.measured += " ± " + fixed(std::exp(of.mean) * of.error, 2);
  made.result = std::abs(of.mean) <= noise ? verdict::not_resolved
                : of.mean > 0              ? verdict::holds
                                           : verdict::contradicted;
  return made;
}

/// That a ratio of two numbers, of which neither has noise to speak of, is at least `least`.
inline claim at_least(std::string sentence, std::string published, double ratio, double least) {
  return {std::move(sentence), std::move(published), fixed(ratio, 2) + "x",
          ratio >= least ? verdict::holds : verdict::contradicted};
}

}  // namespace example
