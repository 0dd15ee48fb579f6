#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace example {

/// What the numbers of an axis are, and so how they are written and divided.
enum class chart_unit { number, percent, seconds, logarithmic };

struct chart_tick {
  double at = 0;
  std::string text;
};

namespace detail {

/// 1200 as "1.2k", 0.000256 as "2.56e-4": as short as the number allows.
inline std::string short_number(double value) {
  char text[32];
  const double size = std::abs(value);
  if (size >= 1e9)
    std::snprintf(text, sizeof text, "%.4gB", value / 1e9);
  else if (size >= 1e6)
    std::snprintf(text, sizeof text, "%.4gM", value / 1e6);
  else if (size >= 1e4)
    std::snprintf(text, sizeof text, "%.4gk", value / 1e3);
  else if (size >= 1e-3 || size == 0)
    std::snprintf(text, sizeof text, "%.4g", value);
  else
    std::snprintf(text, sizeof text, "%.0e", value);
  return text;
}

/// 90 as "1:30", 5400 as "1:30 h".
inline std::string short_time(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  char text[32];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%ld:%02ld h", whole / 3600, whole / 60 % 60);
  else if (whole >= 60)
    std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%.3g s", seconds);
  return text;
}

inline double tick_distance(chart_unit unit, double wanted) {
  if (unit == chart_unit::seconds && wanted > 5)
    for (double nice : {10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200})
      if (nice >= wanted) return nice;
  const double power = std::pow(10.0, std::floor(std::log10(wanted)));
  for (double nice : {1.0, 2.0, 5.0})
    if (nice * power >= wanted) return nice * power;
  return 10 * power;
}

}  // namespace detail

/// Where an axis from `least` to `most` is marked: at round numbers, about `wanted` of them.
inline std::vector<chart_tick> chart_ticks(chart_unit unit, double least, double most, int wanted) {
  std::vector<chart_tick> ticks;
  // Numbers that are equal but for rounding have no round ones between them.
  if (!std::isfinite(least) || !std::isfinite(most)) return ticks;
  if (!(most - least > 1e-9 * std::max(std::abs(least), std::abs(most)))) return ticks;
  if (unit == chart_unit::logarithmic) {
    if (!(least > 0)) return ticks;
    const bool close = std::log10(most / least) < 2.5;
    for (double power = std::pow(10, std::floor(std::log10(least))); power <= most; power *= 10)
      for (double nice : {1.0, 2.0, 5.0})
        if ((close || nice == 1) && nice * power >= least * 0.999 && nice * power <= most * 1.001)
          ticks.push_back({nice * power, detail::short_number(nice * power)});
    return ticks;
  }
  const double distance = detail::tick_distance(unit, (most - least) / std::max(1, wanted));
  for (double i = std::ceil(least / distance - 1e-9); i * distance <= most + 1e-9 * distance; ++i) {
    const double at = i * distance + 0.0;  // no -0
    ticks.push_back({at, unit == chart_unit::seconds   ? detail::short_time(at)
                         : unit == chart_unit::percent ? detail::short_number(at) + " %"
                                                       : detail::short_number(at)});
  }
  return ticks;
}

}  // namespace example
