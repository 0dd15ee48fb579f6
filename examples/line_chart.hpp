#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>

#include "chart_style.hpp"
#include "chart_ticks.hpp"
#include "html_page.hpp"
#include "text_table.hpp"

namespace example {

struct chart_point {
  double x = 0, y = 0;
};

/// A scale of a chart. Limits that are not given follow from the lines.
struct chart_axis {
  std::string title;
  chart_unit unit = chart_unit::number;
  std::optional<double> least = {}, most = {};
};

/// A line of a chart.
struct chart_line {
  enum class form {
    plain,
    faint,   ///< behind the others, for what a smoothed line was made of
    steps,   ///< keeps its value up to the next point
    dotted,  ///< every point is marked, and tells its value under the mouse
    points,  ///< the same, and no line joins them; a single one has its name beside it
  };

  std::string name;  ///< in the legend; empty: not there
  std::vector<chart_point> points;
  int color = 0;  ///< of the page's: see `html_page`
  form look = form::plain;
  bool on_right = false;  ///< measured by the axis on the right
};

/// Lines over one axis below and one or two at the sides, as an SVG picture for an `html_page`
/// or a file.
class line_chart {
 public:
  line_chart(std::string title, chart_axis below, chart_axis left, chart_axis right = {})
      : title_(std::move(title)),
        below_(std::move(below)),
        left_(std::move(left)),
        right_(std::move(right)) {}

  /// Points that are no numbers, or have no place on a logarithmic axis, are left out.
  void add(chart_line line) {
    const bool logarithmic = axis_of(line).unit == chart_unit::logarithmic;
    std::erase_if(line.points, [&](const chart_point& p) {
      return !std::isfinite(p.x) || !std::isfinite(p.y) || (logarithmic && p.y <= 0);
    });
    if (line.look == chart_line::form::plain || line.look == chart_line::form::faint)
      line.points = thinned(std::move(line.points));
    if (!line.points.empty()) lines_.push_back(std::move(line));
  }

  /// A part of the axis below, shaded if it is every second one, with a caption above it.
  void add_band(double from, double to, std::string caption) {
    bands_.push_back({from, to, std::move(caption)});
  }

  bool empty() const { return lines_.empty(); }

  const std::string& title() const { return title_; }

  /// For a page, which has the rules that it is drawn by.
  std::string svg() const {
    return effnet::sentence("<svg class='chart' ", frame(), ">\n", picture(), "</svg>\n");
  }

  /// For a file of its own, in the light colours.
  std::string svg_file() const {
    return in_light_colors(effnet::sentence(
        "<svg xmlns='http://www.w3.org/2000/svg' class='chart' width='", width, "' height='",
        height, "' ", frame(), " font-family='system-ui, DejaVu Sans, Arial, sans-serif'>\n<style>",
        chart_rules, "</style>\n<rect width='100%' height='100%' fill='var(--card)' />\n",
        picture(), "</svg>\n"));
  }

 private:
  static constexpr double width = 560, height = 300, margin = 58, top = 62, bottom = 40;
  static constexpr std::size_t most_points = 400;

  struct band {
    double from, to;
    std::string caption;
  };

  /// From values to pixels.
  struct scale {
    const chart_axis& axis;
    double first, last;

    double operator()(double value) const {
      const double least = *axis.least, most = *axis.most;
      const double part = axis.unit == chart_unit::logarithmic
                              ? std::log(value / least) / std::log(most / least)
                              : (value - least) / (most - least);
      return first + std::clamp(part, 0.0, 1.0) * (last - first);
    }
  };

  static std::string pixel(double at) { return fixed(at, 1); }

  const chart_axis& axis_of(const chart_line& line) const { return line.on_right ? right_ : left_; }

  /// At most `most_points`, each the mean of neighbours.
  static std::vector<chart_point> thinned(std::vector<chart_point> points) {
    if (points.size() <= most_points) return points;
    std::vector<chart_point> means(most_points);
    for (std::size_t i = 0; i < most_points; ++i) {
      const std::size_t begin = i * points.size() / most_points;
      const std::size_t end = (i + 1) * points.size() / most_points;
      for (std::size_t k = begin; k < end; ++k)
        means[i].x += points[k].x, means[i].y += points[k].y;
      means[i].x /= static_cast<double>(end - begin),
          means[i].y /= static_cast<double>(end - begin);
    }
    return means;
  }

  /// Gives the axes the limits that they lack.
  void settle(chart_axis& below, chart_axis& left, chart_axis& right) const {
    for (chart_axis* axis : {&below, &left, &right}) {
      double least = 1e300, most = -1e300;
      for (const chart_line& line : lines_)
        for (const chart_point& p : line.points) {
          if (axis != &below && (axis == &right) != line.on_right) continue;
          const double value = axis == &below ? p.x : p.y;
          least = std::min(least, value), most = std::max(most, value);
        }
      if (axis == &below)
        for (const band& b : bands_) least = std::min(least, b.from), most = std::max(most, b.to);
      const bool logarithmic = axis->unit == chart_unit::logarithmic;
      if (least > most) least = logarithmic ? 1 : 0, most = logarithmic ? 10 : 1;
      const double air = axis == &below || logarithmic ? 0 : 0.05 * (most - least);
      if (!axis->least)
        axis->least = logarithmic ? least / 1.2 : least >= 0 && least < air ? 0 : least - air;
      if (!axis->most) axis->most = logarithmic ? most * 1.2 : most + air;
      if (!(*axis->most - *axis->least > 1e-9 * std::abs(*axis->least)))
        axis->most = *axis->least + std::max(1e-6, std::abs(*axis->least));
    }
  }

  std::string frame() const {
    return effnet::sentence("viewBox='0 0 ", width, " ", height, "' role='img' aria-label=\"",
                            escaped(title_), "\"");
  }

  std::string picture() const {
    chart_axis below = below_, left = left_, right = right_;
    settle(below, left, right);
    const bool has_right = std::ranges::any_of(lines_, &chart_line::on_right);
    const scale x{below, margin, width - (has_right ? margin : 20)};
    const scale y{left, height - bottom, top}, z{right, height - bottom, top};
    std::string text;
    add_bands(text, x);
    add_axis_below(text, x, below);
    add_axis(text, y, left, margin - 8, "end", x);
    if (has_right) add_axis(text, z, right, x.last + 8, "start", std::nullopt);
    for (const chart_line& line : lines_) text += drawn(line, x, line.on_right ? z : y);
    add_legend(text);
    return text;
  }

  void add_bands(std::string& text, const scale& x) const {
    for (std::size_t i = 0; i < bands_.size(); ++i) {
      const double from = x(bands_[i].from), to = x(bands_[i].to);
      if (i % 2 == 1)
        text += effnet::sentence("<rect class='band' x='", pixel(from), "' y='", pixel(top),
                                 "' width='", pixel(to - from), "' height='",
                                 pixel(height - bottom - top), "' />");
      const double room = 6.5 * static_cast<double>(bands_[i].caption.size());
      if (to - from > room)
        text += effnet::sentence("<text class='soft' text-anchor='middle' x='",
                                 pixel((from + to) / 2), "' y='", pixel(top - 5), "'>",
                                 escaped(bands_[i].caption), "</text>\n");
    }
  }

  static void add_axis_below(std::string& text, const scale& x, const chart_axis& axis) {
    const double y = height - bottom;
    text += effnet::sentence("<path class='axis' d='M", pixel(x.first), " ", pixel(y), "H",
                             pixel(x.last), "' />");
    for (const chart_tick& tick : chart_ticks(axis.unit, *axis.least, *axis.most, 7))
      text += effnet::sentence("<text class='soft' text-anchor='middle' x='", pixel(x(tick.at)),
                               "' y='", pixel(y + 16), "'>", tick.text, "</text>");
    text += effnet::sentence("<text class='soft' text-anchor='middle' x='",
                             pixel((x.first + x.last) / 2), "' y='", pixel(height - 6), "'>",
                             escaped(axis.title), "</text>\n");
  }

  /// With lines across where `across` is given.
  static void add_axis(std::string& text, const scale& y, const chart_axis& axis, double at,
                       const char* anchor, const std::optional<scale>& across) {
    for (const chart_tick& tick : chart_ticks(axis.unit, *axis.least, *axis.most, 5)) {
      if (across)
        text += effnet::sentence("<path class='grid' d='M", pixel(across->first), " ",
                                 pixel(y(tick.at)), "H", pixel(across->last), "' />");
      text += effnet::sentence("<text class='soft' text-anchor='", anchor, "' x='", pixel(at),
                               "' y='", pixel(y(tick.at) + 4), "'>", tick.text, "</text>");
    }
    text += '\n';
  }

  static std::string drawn(const chart_line& line, const scale& x, const scale& y) {
    using form = chart_line::form;
    std::string text, path;
    for (std::size_t i = 0; i < line.points.size() && line.look != form::points; ++i) {
      const chart_point& p = line.points[i];
      if (i > 0 && line.look == form::steps) path += "H" + pixel(x(p.x));
      path += effnet::sentence(i == 0 ? "M" : "L", pixel(x(p.x)), " ", pixel(y(p.y)));
    }
    if (!path.empty())
      text = effnet::sentence("<path class='line", line.look == form::faint ? " faint" : "",
                              "' style='stroke:var(--c", line.color, ")' d='", path, "' />\n");
    if (line.look == form::dotted || line.look == form::points)
      for (const chart_point& p : line.points)
        text += effnet::sentence("<circle r='3' cx='", pixel(x(p.x)), "' cy='", pixel(y(p.y)),
                                 "' style='fill:var(--c", line.color, ")'><title>",
                                 escaped(line.name), " ", detail::short_number(p.y), " at ",
                                 x.axis.unit == chart_unit::seconds ? detail::short_time(p.x)
                                                                    : detail::short_number(p.x),
                                 "</title></circle>\n");
    if (is_mark(line)) {
      const double at = x(line.points.front().x);
      const bool on_left = at > (x.first + x.last) / 2;
      text += effnet::sentence("<text class='soft' text-anchor='", on_left ? "end" : "start",
                               "' x='", pixel(at + (on_left ? -7 : 7)), "' y='",
                               pixel(y(line.points.front().y) + 4), "'>", escaped(line.name),
                               "</text>\n");
    }
    return text;
  }

  static bool is_mark(const chart_line& line) {
    return line.look == chart_line::form::points && line.points.size() == 1;
  }

  void add_legend(std::string& text) const {
    text += effnet::sentence("<text class='title' x='8' y='18'>", escaped(title_), "</text>");
    double at = margin;
    for (const chart_line& line : lines_) {
      if (line.name.empty() || is_mark(line)) continue;
      text += effnet::sentence("<path class='line' style='stroke:var(--c", line.color, ")' d='M",
                               pixel(at), " ", pixel(top - 26), "h16' /><text x='", pixel(at + 21),
                               "' y='", pixel(top - 22), "'>", escaped(line.name), "</text>");
      at += 21 + 6.8 * static_cast<double>(line.name.size()) + 18;
    }
    text += '\n';
  }

  std::string title_;
  chart_axis below_, left_, right_;
  std::vector<chart_line> lines_;
  std::vector<band> bands_;
};

}  // namespace example
