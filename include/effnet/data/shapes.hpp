#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/core/rng.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/data/shapes_figure.hpp>
#include <effnet/io/image.hpp>

namespace effnet {

namespace detail {

/// The random numbers of one picture, in the order in which it asks for them.
class shapes_draws {
 public:
  explicit shapes_draws(std::uint64_t key) : key_(key) {}
  /// A whole number in [low, high].
  int between(int low, int high) {
    const auto range = static_cast<std::uint64_t>(high - low + 1);
    return low + static_cast<int>(((mix64(key_ + counter_++) >> 32) * range) >> 32);
  }
  std::uint64_t key() { return mix64(key_ + counter_++); }

 private:
  std::uint64_t key_, counter_ = 0;
};

/// Lengths in a picture, whatever its pixels: its side is this long.
inline constexpr int shapes_side = 1 << 16;

struct shapes_color {
  std::array<int, 3> rgb;

  int luma() const { return (rgb[0] * 77 + rgb[1] * 150 + rgb[2] * 29) / 256; }
  shapes_color lighter(int by) const {
    shapes_color made = *this;
    for (int& c : made.rgb) c = std::clamp(c + by, 0, 255);
    return made;
  }
};

/// Any hue at about the luma asked for.
inline shapes_color draw_color(shapes_draws& draw, int luma, int most_saturation) {
  const int hue = draw.between(0, 1535), saturation = draw.between(30, most_saturation);
  shapes_color made{};
  for (int c = 0; c < 3; ++c) {  // a hexagon of six ramps
    const int distance = std::abs((hue + 1536 - 512 * c + 768) % 1536 - 768);
    const int pure = std::clamp(512 - distance, 0, 255);
    made.rgb[static_cast<std::size_t>(c)] = 128 + (pure - 128) * saturation / 255;
  }
  for (int pass = 0; pass < 3; ++pass) made = made.lighter(luma - made.luma());  // it may clamp
  return made;
}

/// A rotation without sine and cosine, which libraries round differently: (1-t^2, 2t) / (1+t^2).
struct shapes_rotation {
  int cosine, sine;  ///< times 2^14

  static shapes_rotation draw(shapes_draws& draw) {
    const int t = draw.between(-424, 424);  // tan of half of +-45 degrees, times 1024
    const int whole = (1 << 20) + t * t;
    const auto part = [&](int of) { return static_cast<int>((std::int64_t{of} << 14) / whole); };
    shapes_rotation made{part((1 << 20) - t * t), part(2048 * t)};
    for (int quarter = draw.between(0, 3); quarter > 0; --quarter) made = {-made.sine, made.cosine};
    return made;
  }
};

/// Where a figure stands: centre, length of its unit along its own two axes, rotation.
struct shapes_place {
  int x, y, along_u, along_v;
  shapes_rotation turned;
};

/// Paints a figure with `first` at one end and `last` at the other, edges smoothed by 4 x 4 samples
/// a pixel.
inline void paint_figure(image& picture, figure which, const shapes_place& at,
                         const shapes_color& first, const shapes_color& last) {
  constexpr int samples = 4;
  const std::int64_t size = picture.width;
  const std::int64_t reach = std::int64_t{std::max(at.along_u, at.along_v)} * 6 / 5;
  const auto pixel_of = [&](std::int64_t length) {
    return static_cast<int>(
        std::clamp<std::int64_t>(length * size >> 16, 0, std::int64_t{picture.width} - 1));
  };
  const std::int64_t scale_u = (std::int64_t{figure_unit} << 16) / at.along_u;
  const std::int64_t scale_v = (std::int64_t{figure_unit} << 16) / at.along_v;
  const auto local = [&](std::int64_t dx, std::int64_t dy) {
    const std::int64_t u = (dx * at.turned.cosine + dy * at.turned.sine) >> 14;
    const std::int64_t v = (dy * at.turned.cosine - dx * at.turned.sine) >> 14;
    return figure_point{static_cast<int>(u * scale_u >> 16), static_cast<int>(v * scale_v >> 16)};
  };
  // the middle of the sample, of which a side has samples * size
  const auto position = [&](int pixel, int sample) {
    return ((std::int64_t{pixel} * samples + sample) * 2 + 1) * shapes_side / (2 * samples * size);
  };
  for (int py = pixel_of(at.y - reach); py <= pixel_of(at.y + reach); ++py)
    for (int px = pixel_of(at.x - reach); px <= pixel_of(at.x + reach); ++px) {
      int covered = 0;
      for (int sy = 0; sy < samples; ++sy)
        for (int sx = 0; sx < samples; ++sx) {
          const figure_point p = local(position(px, sx) - at.x, position(py, sy) - at.y);
          covered += covers(which, p.u, p.v);
        }
      if (covered == 0) continue;
      const figure_point p = local(position(px, 2) - at.x, position(py, 2) - at.y);
      const int share = std::clamp((p.u + p.v + 2 * figure_unit) / 64, 0, 256);
      std::uint8_t* pixel = picture.row(py) + std::ptrdiff_t{px} * 3;
      for (std::size_t c = 0; c < 3; ++c) {
        const int paint = first.rgb[c] + (last.rgb[c] - first.rgb[c]) * share / 256;
        pixel[c] = static_cast<std::uint8_t>(
            (pixel[c] * (samples * samples - covered) + paint * covered) / (samples * samples));
      }
    }
}

/// Smooth noise in [0, 255]: random values on a lattice of `cells` a side, blended between.
inline int value_noise(std::uint64_t key, int x, int y, int cells) {
  const auto corner = [&](int cx, int cy) {
    return static_cast<int>(
        mix64(key + static_cast<std::uint64_t>(cy) * 4096 + static_cast<std::uint64_t>(cx)) >> 56);
  };
  const auto eased = [](int fraction) {  // 3t^2 - 2t^3, of 256
    return fraction * fraction * (768 - 2 * fraction) >> 16;
  };
  const int fx = eased((x * cells >> 8) & 255), fy = eased((y * cells >> 8) & 255);
  const int cx = x * cells >> 16, cy = y * cells >> 16;
  const int above = corner(cx, cy) * (256 - fx) + corner(cx + 1, cy) * fx;
  const int below = corner(cx, cy + 1) * (256 - fx) + corner(cx + 1, cy + 1) * fx;
  return (above * (256 - fy) + below * fy) >> 16;
}

/// A cloudy ground between two colours, at times woven with stripes.
inline void paint_ground(image& picture, shapes_draws& draw, const shapes_color& first,
                         const shapes_color& last) {
  const std::uint64_t coarse = draw.key(), fine = draw.key();
  const int cells = draw.between(2, 5), detail_share = draw.between(40, 130);
  const int stripe_share = std::max(0, draw.between(-60, 90)), stripes = draw.between(4, 14);
  const shapes_rotation turned = shapes_rotation::draw(draw);
  for (int py = 0; py < picture.height; ++py)
    for (int px = 0; px < picture.width; ++px) {
      const auto position = [&](int pixel) {
        return static_cast<int>((std::int64_t{pixel} * 2 + 1) * shapes_side /
                                (2 * std::int64_t{picture.width}));
      };
      const int x = position(px), y = position(py);
      const std::int64_t across =
          (std::int64_t{x} * turned.cosine + std::int64_t{y} * turned.sine) >> 14;
      const int wave = std::abs(static_cast<int>((across * stripes >> 7) & 511) - 256);
      const int clouds = (value_noise(coarse, x, y, cells) * (256 - detail_share) +
                          value_noise(fine, x, y, cells * 5) * detail_share) >>
                         8;
      const int share = (clouds * (256 - stripe_share) + wave * stripe_share) >> 8;
      std::uint8_t* pixel = picture.row(py) + std::ptrdiff_t{px} * 3;
      for (std::size_t c = 0; c < 3; ++c)
        pixel[c] =
            static_cast<std::uint8_t>(first.rgb[c] + (last.rgb[c] - first.rgb[c]) * share / 256);
    }
}

/// Dots, splinters and strokes, all much smaller or thinner than a figure that counts.
inline void paint_clutter(image& picture, shapes_draws& draw, int pieces, int thickest) {
  for (int i = 0; i < pieces; ++i) {
    constexpr std::array kinds{figure::disc, figure::triangle, figure::square, figure::square};
    const auto kind = static_cast<std::size_t>(draw.between(0, 3));
    const int width = draw.between(thickest / 3, thickest);
    const shapes_color color = draw_color(draw, draw.between(20, 235), 255);
    paint_figure(picture, kinds[kind],
                 {.x = draw.between(0, shapes_side),
                  .y = draw.between(0, shapes_side),
                  .along_u = kind < 2 ? width : draw.between(2, 7) * shapes_side / 32,
                  .along_v = kind < 2 ? width : width / 3,
                  .turned = shapes_rotation::draw(draw)},
                 color, color);
  }
}

/// What a sensor adds, pixel by pixel.
inline void add_grain(image& picture, std::uint64_t key, int amplitude) {
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    const int grain = static_cast<int>(mix64(key + i) >> 32 & 255) * (2 * amplitude + 1) / 256;
    picture.pixels[i] =
        static_cast<std::uint8_t>(std::clamp(picture.pixels[i] + grain - amplitude, 0, 255));
  }
}

}  // namespace detail

/// The class of picture `index` of the endless set with this seed. Balanced: numbers 10k to 10k + 9
/// hold every class once, in an order of their own.
inline figure shapes_label(std::uint64_t seed, std::uint64_t index) {
  constexpr std::size_t classes = figure_names.size();
  detail::shapes_draws draw(mix64(mix64(seed) ^ (index / classes)));
  std::array<figure, classes> order;
  for (std::size_t i = 0; i < classes; ++i) order[i] = static_cast<figure>(i);
  for (int i = static_cast<int>(classes) - 1; i > 0; --i)
    std::swap(order[static_cast<std::size_t>(i)],
              order[static_cast<std::size_t>(draw.between(0, i))]);
  return order[static_cast<std::size_t>(index % classes)];
}

/// Picture `index` of the set with this seed, `size` x `size` pixels: one figure of any colour,
/// place, direction and a radius of 0.24 to 0.4 sides on a textured, cluttered ground. Another size
/// is the same scene at another resolution, but for the grain. Throws `shape_error` below 1 pixel.
/// Whole numbers throughout: the pixels are the same on every machine.
inline image shapes_image(std::uint64_t seed, std::uint64_t index, int size) {
  image picture = make_image(size, size);
  detail::shapes_draws draw(mix64(mix64(~seed) + index));
  const bool on_dark = draw.between(0, 1) == 0;
  const int ground = on_dark ? draw.between(35, 110) : draw.between(145, 220);
  const int contrast = draw.between(60, 125);
  const auto tinted = [&](int luma) {
    return detail::draw_color(draw, std::clamp(luma, 15, 245), 140);
  };
  const detail::shapes_color low = tinted(ground - draw.between(8, 26));
  const detail::shapes_color high = tinted(ground + draw.between(8, 26));
  detail::paint_ground(picture, draw, low, high);
  detail::paint_clutter(picture, draw, draw.between(4, 12), detail::shapes_side / 20);

  const int radius = draw.between(detail::shapes_side * 24 / 100, detail::shapes_side * 40 / 100);
  const int margin = radius * 21 / 20;
  const detail::shapes_color color =
      detail::draw_color(draw, on_dark ? ground + contrast : ground - contrast, 255);
  const int shade = draw.between(-22, 22);
  detail::paint_figure(picture, shapes_label(seed, index),
                       {.x = draw.between(margin, detail::shapes_side - margin),
                        .y = draw.between(margin, detail::shapes_side - margin),
                        .along_u = radius,
                        .along_v = radius * draw.between(82, 100) / 100,
                        .turned = detail::shapes_rotation::draw(draw)},
                       color.lighter(shade), color.lighter(-shade));
  detail::paint_clutter(picture, draw, draw.between(0, 3), detail::shapes_side / 50);
  const int grain = draw.between(0, 12);
  detail::add_grain(picture, draw.key(), grain);
  return picture;
}

/// `count` pictures of that kind as a `data_set`. Sets with different seeds share nothing: train on
/// one and validate on another.
class shapes {
 public:
  explicit shapes(std::size_t count, std::uint64_t seed = 0, int size = 64)
      : count_(count), seed_(seed), size_(size) {
    if (count == 0) throw error("a set of 0 shapes cannot be made; ask for at least 1");
    if (size < 1)
      throw shape_error(sentence("shapes of ", size, " pixels cannot be made; at least 1"));
  }

  std::size_t count() const { return count_; }
  const std::vector<std::string>& classes() const { return classes_; }
  int label(std::size_t i) const { return static_cast<int>(shapes_label(seed_, i)); }
  effnet::image image(std::size_t i) const { return shapes_image(seed_, i, size_); }
  std::string name(std::size_t i) const { return sentence("shape ", i, " of seed ", seed_); }

 private:
  std::size_t count_;
  std::uint64_t seed_;
  int size_;
  std::vector<std::string> classes_{figure_names.begin(), figure_names.end()};
};

static_assert(data_set<shapes>);

}  // namespace effnet
