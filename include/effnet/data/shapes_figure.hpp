#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

namespace effnet {

/// The ten classes of the set `shapes`, in the order of their labels. None turns into another one
/// by rotation, reflection or a mild stretch.
enum class figure { disc, ring, square, triangle, cross, star, crescent, bars, checker, arrow };

inline constexpr std::array<std::string_view, 10> figure_names{
    "disc", "ring", "square", "triangle", "cross", "star", "crescent", "bars", "checker", "arrow"};

namespace detail {

/// Figures are drawn in whole numbers, since rounding and contraction of floating-point operations
/// differ between machines: this is the length 1 of a figure's own coordinates.
inline constexpr int figure_unit = 4096;
/// No point of a figure is further from its centre than this.
inline constexpr int figure_reach = figure_unit * 6 / 5;

struct figure_point {
  int u, v;
};

inline constexpr figure_point triangle_corners[] = {{0, -4096}, {3547, 2048}, {-3547, 2048}};
inline constexpr figure_point star_corners[] = {
    {0, -4500}, {1190, -1638}, {4280, -1391}, {1926, 626},    {2645, 3641},
    {0, 2025},  {-2645, 3641}, {-1926, 626},  {-4280, -1391}, {-1190, -1638}};
inline constexpr figure_point arrow_corners[] = {
    {4300, 0}, {700, -3200}, {700, -1150}, {-3900, -1150}, {-3900, 1150}, {700, 1150}, {700, 3200}};

/// Even-odd rule; exact.
inline bool is_in_polygon(std::span<const figure_point> corners, int u, int v) {
  bool in = false;
  figure_point from = corners.back();
  for (const figure_point& to : corners) {
    if ((to.v > v) != (from.v > v)) {
      // u < where the edge crosses the height v, multiplied by the edge's height
      const std::int64_t side =
          std::int64_t{u - to.u} * (from.v - to.v) - std::int64_t{v - to.v} * (from.u - to.u);
      if ((side < 0) == (from.v > to.v)) in = !in;
    }
    from = to;
  }
  return in;
}

inline bool is_in_circle(int u, int v, int radius) {
  return std::int64_t{u} * u + std::int64_t{v} * v <= std::int64_t{radius} * radius;
}

/// Whether the point lies on the figure.
inline bool covers(figure which, int u, int v) {
  constexpr int half = 3400;  // of what is square
  const bool in_square = std::abs(u) <= half && std::abs(v) <= half;
  switch (which) {
    case figure::disc:
      return is_in_circle(u, v, 3900);
    case figure::ring:
      return is_in_circle(u, v, 4096) && !is_in_circle(u, v, 2500);
    case figure::square:
      return in_square;
    case figure::triangle:
      return is_in_polygon(triangle_corners, u, v);
    case figure::cross:
      return (std::abs(u) <= 1200 && std::abs(v) <= 4000) ||
             (std::abs(v) <= 1200 && std::abs(u) <= 4000);
    case figure::star:
      return is_in_polygon(star_corners, u, v);
    case figure::crescent:
      return is_in_circle(u, v, 4096) && !is_in_circle(u - 1700, v, 3300);
    case figure::bars:  // five stripes, of which three are there
      return in_square && (u + half) / (half * 2 / 5) % 2 == 0;
    case figure::checker:  // four fields a side
      return in_square && ((u + half) / (half / 2 + 1) + (v + half) / (half / 2 + 1)) % 2 == 0;
    case figure::arrow:
      return is_in_polygon(arrow_corners, u, v);
  }
  return false;
}

}  // namespace detail
}  // namespace effnet
