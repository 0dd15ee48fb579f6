#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <effnet/io/image.hpp>

#include "stroke_font.hpp"

namespace example {

using color = std::array<std::uint8_t, 3>;

/// Draws on a picture: rectangles, other pictures, text. Everything is clipped to its sides.
class canvas {
 public:
  canvas(int width, int height, color background) : picture_(effnet::make_image(width, height)) {
    fill(0, 0, width, height, background);
  }

  const effnet::image& picture() const& { return picture_; }
  effnet::image picture() && { return std::move(picture_); }

  void fill(int left, int top, int width, int height, color with) {
    for (int y = std::max(0, top); y < std::min(picture_.height, top + height); ++y)
      for (int x = std::max(0, left); x < std::min(picture_.width, left + width); ++x)
        std::ranges::copy(with, picture_.row(y) + std::size_t{3} * static_cast<std::size_t>(x));
  }

  void paste(const effnet::image& other, int left, int top) {
    for (int y = std::max(0, -top); y < std::min(other.height, picture_.height - top); ++y)
      for (int x = std::max(0, -left); x < std::min(other.width, picture_.width - left); ++x)
        std::copy_n(other.row(y) + std::size_t{3} * static_cast<std::size_t>(x), 3,
                    picture_.row(top + y) + std::size_t{3} * static_cast<std::size_t>(left + x));
  }

  /// Writes `text` with capitals `size` pixels high, their top at `top`; returns where it ends.
  float text(std::string_view text, float left, float top, float size, color with,
             bool bold = false) {
    const float unit = size / 8, radius = unit * (bold ? 0.75f : 0.5f);
    for (char c : text) {
      if (continues_character(c)) continue;
      const stroke_glyph glyph = glyph_of(c);
      draw(glyph, left + radius, top, unit, radius, with);
      left += (glyph.width + gap) * unit;
    }
    return left;
  }

  static float text_width(std::string_view text, float size) {
    float units = 0;
    for (char c : text)
      if (!continues_character(c)) units += glyph_of(c).width + gap;
    return units * size / 8;
  }

  /// `text`, cut so that it fits into `width` pixels.
  static std::string fitted(std::string text, float size, float width) {
    if (text_width(text, size) <= width) return text;
    while (!text.empty() && text_width(text + "...", size) > width) text.pop_back();
    return text + "...";
  }

 private:
  static constexpr float gap = 2.4f;

  void draw(const stroke_glyph& glyph, float left, float top, float unit, float radius,
            color with) {
    const float reach = radius + 1;
    const int x0 = static_cast<int>(std::floor(left - reach));
    const int x1 = static_cast<int>(std::ceil(left + glyph.width * unit + reach));
    const int y0 = static_cast<int>(std::floor(top - reach));
    const int y1 = static_cast<int>(std::ceil(top + 12 * unit + reach));
    for (int y = y0; y <= y1; ++y)
      for (int x = x0; x <= x1; ++x) {
        const stroke_point at{(static_cast<float>(x) + 0.5f - left) / unit,
                              (static_cast<float>(y) + 0.5f - top) / unit};
        const float distance = nearest(glyph, at) * unit;
        blend(x, y, with, std::clamp(radius + 0.5f - distance, 0.0f, 1.0f));
      }
  }

  static float nearest(const stroke_glyph& glyph, stroke_point at) {
    float best = 1e9f;
    for (const auto& line : glyph.lines)
      for (std::size_t i = 0; i + 1 < line.size(); ++i) {
        const float dx = line[i + 1].x - line[i].x, dy = line[i + 1].y - line[i].y;
        const float ax = at.x - line[i].x, ay = at.y - line[i].y;
        const float square = dx * dx + dy * dy;
        const float t = square > 0 ? std::clamp((ax * dx + ay * dy) / square, 0.0f, 1.0f) : 0;
        best = std::min(best, std::hypot(ax - t * dx, ay - t * dy));
      }
    return best;
  }

  void blend(int x, int y, color with, float share) {
    if (share <= 0 || x < 0 || y < 0 || x >= picture_.width || y >= picture_.height) return;
    std::uint8_t* pixel = picture_.row(y) + std::size_t{3} * static_cast<std::size_t>(x);
    for (std::size_t c = 0; c < 3; ++c)
      pixel[c] = static_cast<std::uint8_t>(std::lround(static_cast<float>(pixel[c]) * (1 - share) +
                                                       static_cast<float>(with[c]) * share));
  }

  effnet::image picture_;
};

}  // namespace example
