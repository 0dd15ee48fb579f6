#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <effnet/arch/convention.hpp>
#include <effnet/core/error.hpp>
#include <effnet/data/auto_augment.hpp>
#include <effnet/data/rand_augment.hpp>
#include <effnet/data/random_crop.hpp>
#include <effnet/data/random_draws.hpp>
#include <effnet/data/random_erasing.hpp>
#include <effnet/data/sample_look.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/resize.hpp>

namespace effnet {

/// Which sample is made, and so which random numbers it gets.
struct sample_key {
  std::uint64_t seed = 0, epoch = 0, sample = 0;

  random_draws draws(draw_purpose purpose) const { return {seed, epoch, sample, purpose}; }
};

/// (value - mean) / deviation of every value that a pixel can have, by channel.
class pixel_levels {
 public:
  explicit pixel_levels(const input_rule& rule) {
    for (std::size_t c = 0; c < 3; ++c) {
      if (!(rule.deviation[c] > 0))
        throw shape_error(
            sentence("the input deviation is ", rule.deviation[c], "; it must be positive"));
      for (std::size_t value = 0; value < 256; ++value)
        levels_[value][c] = (static_cast<float>(value) - rule.mean[c]) / rule.deviation[c];
    }
  }

  /// [256, 3]: a value's number in every channel.
  std::span<const std::array<float, 3>, 256> all() const { return levels_; }

  /// `dst` receives height x width x 3 floats.
  void normalise(const image& picture, float* dst) const {
    const std::uint8_t* from = picture.pixels.data();
    for (std::size_t i = 0; i < picture.pixels.size(); i += 3)
      for (std::size_t c = 0; c < 3; ++c) dst[i + c] = levels_[from[i + c]][c];
  }

 private:
  std::array<std::array<float, 3>, 256> levels_;
};

/// The part of a picture of `width` x `height` pixels that the sample shows.
inline crop_box sample_box(int width, int height, const sample_look& look, const sample_key& key) {
  if (!look.is_cropped()) return {0, 0, width, height};
  random_draws draws = key.draws(draw_purpose::crop);
  return random_crop(width, height, look.crop, draws);
}

/// By what a JPEG may be divided while it is decoded (1, 2, 4, 8), so that `box` still has at least
/// `size` pixels a side.
constexpr int sample_reduction(const crop_box& box, int size) {
  int by = 8;
  while (by > 1 && std::min(box.width, box.height) / by < size) by /= 2;
  return by;
}

namespace detail {

inline void flip(image& picture) {
  for (int y = 0; y < picture.height; ++y) {
    std::uint8_t* left = picture.row(y);
    std::uint8_t* right = left + picture.row_bytes() - 3;
    for (; left < right; left += 3, right -= 3) std::swap_ranges(left, left + 3, right);
  }
}

inline image augmented(image picture, const sample_look& look, const sample_key& key) {
  random_draws draws = key.draws(draw_purpose::augment);
  const bool rand = look.augment == sample_augmentation::rand_augment ||
                    (look.augment == sample_augmentation::auto_or_rand && draws.bernoulli(0.5));
  if (rand)
    return look.has_rand_augment() ? rand_augment(std::move(picture),
                                                  {.layers = look.layers,
                                                   .magnitude = static_cast<double>(look.magnitude),
                                                   .rule = look.rule,
                                                   .reach = static_cast<double>(look.reach)},
                                                  draws)
                                   : picture;
  return auto_augment(std::move(picture), {.rule = look.rule}, draws);
}

/// A square of 2 * (size / 4) a side with its centre anywhere, cut off at the border.
inline crop_box noise_box(int size, random_draws& draws) {
  const auto x = static_cast<int>(draws.integer(0, size));
  const auto y = static_cast<int>(draws.integer(0, size));
  const int half = size / 4;
  const int left = std::max(x - half, 0), right = std::min(x + half, size);
  const int top = std::max(y - half, 0), bottom = std::min(y + half, size);
  return {left, top, right - left, bottom - top};
}

/// Calls `cover(box, fill)` for every part of the normalised sample that something else covers,
/// from below; `fill(first, row)` writes the part's rows, `row` floats apart.
template <class Cover>
void for_each_covered(const sample_look& look, const sample_key& key, Cover&& cover) {
  if (look.augment == sample_augmentation::finetune) {  // uniform noise in [0, 1)
    random_draws draws = key.draws(draw_purpose::augment);
    const crop_box box = noise_box(look.size, draws);
    cover(box, [&](float* first, std::size_t row) {
      for (int y = 0; y < box.height; ++y, first += row)
        std::generate_n(first, box.width * 3, [&] { return static_cast<float>(draws.uniform()); });
    });
  }
  if (look.random_erasing > 0) {
    random_draws draws = key.draws(draw_purpose::erase);
    const erasing_settings settings{.probability = static_cast<double>(look.random_erasing)};
    const crop_box box = drawn_erasing(look.size, look.size, settings, draws);
    cover(box, [&](float* first, std::size_t row) {
      fill_erased(box, 3, settings.fill, draws, first, row);
    });
  }
}

/// What of a picture that was decoded `reduction` times smaller is `box` in the full one.
inline source_box reduced(const crop_box& box, int reduction) {
  const auto at = [&](int pixels) {
    return static_cast<float>(pixels) / static_cast<float>(reduction);
  };
  return {at(box.left), at(box.top), at(box.left + box.width), at(box.top + box.height)};
}

inline bool is_flipped(const sample_look& look, const sample_key& key) {
  return key.draws(draw_purpose::flip).bernoulli(look.flip);
}
constexpr bool is_augmented(const sample_look& look) {
  return look.augment != sample_augmentation::none && look.augment != sample_augmentation::finetune;
}

/// The sample before it is normalised.
inline image made_picture(const image& picture, const crop_box& box, int reduction,
                          const sample_look& look, const sample_key& key) {
  image made = resize(picture, look.size, look.size, look.filter, reduced(box, reduction));
  if (is_flipped(look, key)) flip(made);
  if (is_augmented(look)) made = augmented(std::move(made), look, key);
  return made;
}

}  // namespace detail

/// The sample that `look` makes of `box` in `picture`: resized, flipped, augmented, normalised,
/// partly erased; `dst` receives look.size x look.size x 3 floats (HWC). Where the picture was
/// decoded `reduction` times smaller, `box` still counts the pixels of the full one. Pillow's
/// filters see a little beyond the box, as its `resize` with a box does. Throws `shape_error`
/// where the box lies outside.
inline void make_training_sample(const image& picture, const crop_box& box, int reduction,
                                 const sample_look& look, const pixel_levels& levels,
                                 const sample_key& key, float* dst) {
  levels.normalise(detail::made_picture(picture, box, reduction, look, key), dst);
  const auto row = static_cast<std::size_t>(look.size) * 3;
  detail::for_each_covered(look, key, [&](const crop_box& part, const auto& fill) {
    fill(dst + static_cast<std::size_t>(part.top) * row + static_cast<std::size_t>(part.left) * 3,
         row);
  });
}

/// The same of a whole picture, box drawn.
inline void make_training_sample(const image& picture, const sample_look& look,
                                 const pixel_levels& levels, const sample_key& key, float* dst) {
  check_image(picture, "train on");
  make_training_sample(picture, sample_box(picture.width, picture.height, look, key), 1, look,
                       levels, key, dst);
}

}  // namespace effnet
