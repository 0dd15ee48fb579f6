#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <effnet/resnet.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "line_chart.hpp"

namespace example {

/// Of the figures' lines, in the order of their colours.
enum class network_family { v1, v2, resnet };

/// A network and what was published of it; 0 where that is not at hand.
struct published_result {
  const char* name;
  network_family family;
  effnet::network_spec network;
  double parameters, flops;
  double top1 = 0;      ///< per cent, trained on ImageNet alone
  double top1_21k = 0;  ///< after ImageNet-21k
  double v100_ms = 0;   ///< an image of a batch of 16 in half precision
  double hours = 0;     ///< of training on 32 TPU cores
};

/// EfficientNet, table 2 (ResNets: its comparison); EfficientNetV2, tables 7, 10 and 12; V2-B0 to
/// B3 as the authors' code has them.
inline std::vector<published_result> published_results() {
  using enum network_family;
  return {{"B0", v1, effnet::b0, 5.3e6, 0.39e9, 77.1},
          {"B1", v1, effnet::b1, 7.8e6, 0.70e9, 79.1},
          {"B2", v1, effnet::b2, 9.2e6, 1.0e9, 80.1},
          {"B3", v1, effnet::b3, 12e6, 1.8e9, 81.6},
          {"B4", v1, effnet::b4, 19e6, 4.2e9, 82.9, 0, 0, 20.8},
          {"B5", v1, effnet::b5, 30e6, 9.9e9, 83.6, 0, 0, 42.9},
          {"B6", v1, effnet::b6, 43e6, 19e9, 84.0},
          {"B7", v1, effnet::b7, 66e6, 37e9, 84.3, 0, 170, 139},
          {"V2-B0", v2, effnet::v2_b0, 7.1e6, 0.72e9, 78.7},
          {"V2-B1", v2, effnet::v2_b1, 8.1e6, 1.2e9, 79.8},
          {"V2-B2", v2, effnet::v2_b2, 10.1e6, 1.7e9, 80.5},
          {"V2-B3", v2, effnet::v2_b3, 14.4e6, 3.0e9, 82.1},
          {"V2-S", v2, effnet::v2_s, 22e6, 8.8e9, 83.9, 84.9, 24, 7.1},
          {"V2-M", v2, effnet::v2_m, 54e6, 24e9, 85.1, 86.2, 57, 13},
          {"V2-L", v2, effnet::v2_l, 120e6, 53e9, 85.7, 86.8, 98, 24},
          {"V2-XL", v2, effnet::v2_xl, 208e6, 94e9, 0, 87.3, 0, 45},
          {"ResNet-50", resnet, effnet::resnet50, 26e6, 4.1e9, 76.0},
          {"ResNet-152", resnet, effnet::resnet152, 60e6, 11e9, 77.8}};
}

/// A network that is not built here, as published.
struct published_point {
  const char* name;
  double parameters, flops, top1;
};

inline std::vector<published_point> published_points() {
  return {{"GPipe", 557e6, 0, 84.3}, {"ViT-L/16 (21k)", 304e6, 192e9, 85.3}};
}

/// Published top-1 by family over what `x(result)` gives, where it gives something; and the points
/// of which `mark` is known.
template <class X>
line_chart accuracy_chart(const char* title, const char* below, X&& x,
                          double published_point::*mark = nullptr) {
  using form = chart_line::form;
  line_chart chart(title, {.title = below, .unit = chart_unit::logarithmic},
                   {.title = "published top-1", .unit = chart_unit::percent});
  std::vector<chart_line> lines;
  for (const char* name : {"V1", "V2", "ResNet", "V2 (21k)"})
    lines.push_back({.name = name,
                     .points = {},
                     .color = static_cast<int>(lines.size()),
                     .look = form::dotted});
  for (const published_result& of : published_results()) {
    const std::optional<double> at = x(of);
    if (!at) continue;
    if (of.top1 > 0) lines[static_cast<std::size_t>(of.family)].points.push_back({*at, of.top1});
    if (of.top1_21k > 0) lines.back().points.push_back({*at, of.top1_21k});
  }
  for (chart_line& line : lines) chart.add(std::move(line));
  if (mark == nullptr || chart.empty()) return chart;
  for (const published_point& of : published_points())
    if (of.*mark > 0)
      chart.add(
          {.name = of.name, .points = {{of.*mark, of.top1}}, .color = 4, .look = form::points});
  return chart;
}

}  // namespace example
