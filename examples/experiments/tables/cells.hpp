#pragma once

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/search/mean_and_error.hpp>

#include "experiments/outcome.hpp"
#include "terminal_line.hpp"
#include "text_table.hpp"

/// Cells of the experiments' tables; empty where nothing has been measured yet.
namespace example::cells {

/// "62.5 ± 0.7": mean and standard deviation over the seeds; of one seed "62.5 (one seed)".
inline std::string over_seeds(const std::map<int, double>& by_seed, int decimals = 1) {
  if (by_seed.empty()) return "";
  std::vector<double> values;
  for (const auto& [seed, value] : by_seed) values.push_back(value);
  const effnet::mean_and_error of(values);
  if (values.size() == 1) return fixed(of.mean, decimals) + " (one seed)";
  const double deviation = of.error * std::sqrt(static_cast<double>(values.size()));
  return effnet::sentence(fixed(of.mean, decimals), " ± ", fixed(deviation, decimals));
}

inline std::string top1(const outcomes& all, const std::string& name) {
  return over_seeds(all.top1(name));
}

inline std::optional<double> mean(const std::map<int, double>& by_seed) {
  if (by_seed.empty()) return std::nullopt;
  double sum = 0;
  for (const auto& [seed, value] : by_seed) sum += value;
  return sum / static_cast<double>(by_seed.size());
}

/// Wall time of training, the mean of the seeds: "3:07".
inline std::string training_time(const outcomes& all, const std::string& name) {
  const auto seconds = mean(all.seconds(name));
  return seconds ? clock_text(*seconds) : "";
}

/// Images a second of a pass that was timed with so many images.
inline std::string images_per_second(const outcomes& all, const std::string& name, int batch) {
  const auto seconds = all.time(name);
  if (!seconds) return "";
  const double rate = batch / *seconds;
  return fixed(rate, rate < 10 ? 2 : rate < 100 ? 1 : 0);
}

inline std::string milliseconds(const std::optional<double>& seconds) {
  return seconds ? fixed(1e3 * *seconds, *seconds < 0.1 ? 2 : 1) : "";
}

/// "-17 %": how much a number is above another.
inline std::string change(std::optional<double> now, std::optional<double> before,
                          int decimals = 0) {
  if (!now || !before || *before == 0) return "";
  const std::string percent = fixed(100 * (*now / *before - 1), decimals);
  const bool is_zero = percent.find_first_not_of("-0.") == percent.npos;
  if (is_zero) return fixed(0, decimals) + " %";
  return effnet::sentence(percent[0] == '-' ? "" : "+", percent, " %");
}

/// How much the second of two is above the first, by seed.
inline std::map<int, double> gain(const std::map<int, double>& from,
                                  const std::map<int, double>& to) {
  std::map<int, double> by_seed;
  for (const auto& [seed, value] : to)
    if (const auto before = from.find(seed); before != from.end())
      by_seed[seed] = value - before->second;
  return by_seed;
}

inline std::optional<double> ratio(std::optional<double> a, std::optional<double> b) {
  if (!a || !b || *b == 0) return std::nullopt;
  return *a / *b;
}

/// Millions or billions: "19.3M".
inline std::string millions(double number) {
  return number < 1e6 ? fixed(number / 1e6, 2) + "M" : fixed(number / 1e6, 1) + "M";
}
inline std::string billions(double number) {
  return number < 1e9 ? fixed(number / 1e9, 3) + "B" : fixed(number / 1e9, 2) + "B";
}

}  // namespace example::cells
