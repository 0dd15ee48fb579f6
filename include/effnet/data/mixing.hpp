#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/core/tensor_view.hpp>
#include <effnet/data/random_crop.hpp>
#include <effnet/data/random_draws.hpp>

/// Mixup (Zhang et al. 2017) and cutmix (Yun et al. 2019) on normalised batches in host memory, as
/// automl `datasets.py` does them: the partner of an image is the one at its place in the reversed
/// batch, and labels are mixed before any smoothing. An image that is its own partner (the middle
/// of an odd batch) stays as it is.
namespace effnet {

/// Images, float32 NHWC, and their labels: one row of `classes` shares for every image.
struct labelled_batch {
  tensor_view images;
  std::span<float> labels;
  int classes = 0;
};

/// What cutmix makes of labels.
enum class cutmix_labels : std::uint8_t {
  by_own_area,   ///< each image by the area that it got from its partner
  by_mean_area,  ///< the whole batch by the mean of these areas: what the released code does
};

/// Throws `shape_error` where the labels do not fit the images.
inline void check_batch(const labelled_batch& batch) {
  const shape4& s = batch.images.shape;
  if (s.n < 0 || s.h < 1 || s.w < 1 || s.c < 1 || batch.classes < 1 ||
      (s.n > 0 && batch.images.data == nullptr))
    throw shape_error(sentence("cannot mix a batch of ", to_string(s), " with ", batch.classes,
                               " classes; there must be pixels and classes"));
  const std::size_t expected =
      static_cast<std::size_t>(s.n) * static_cast<std::size_t>(batch.classes);
  if (batch.labels.size() != expected)
    throw shape_error(sentence("a batch of ", s.n, " images and ", batch.classes, " classes has ",
                               expected, " label shares, and not ", batch.labels.size()));
}

namespace detail {

/// Images first, ..., first + count − 1.
inline labelled_batch part_of(const labelled_batch& batch, int first, int count) {
  labelled_batch part = batch;
  shape4 one = batch.images.shape;
  one.n = 1;
  const auto classes = static_cast<std::size_t>(batch.classes);
  part.images.data += static_cast<std::size_t>(first) * one.elements();
  part.images.shape.n = count;
  part.labels = batch.labels.subspan(static_cast<std::size_t>(first) * classes,
                                     static_cast<std::size_t>(count) * classes);
  return part;
}

/// Two rows at once, each mixed with what the other was.
inline void mix_rows(float* first, float* second, std::size_t count, double first_share,
                     double second_share) {
  const auto own_1 = static_cast<float>(first_share), own_2 = static_cast<float>(second_share);
  const auto other_1 = static_cast<float>(1 - first_share);
  const auto other_2 = static_cast<float>(1 - second_share);
  for (std::size_t i = 0; i < count; ++i) {
    const float a = first[i], b = second[i];
    first[i] = own_1 * a + other_1 * b;
    second[i] = own_2 * b + other_2 * a;
  }
}

/// The rows of a batch's labels, each mixed with that of its partner.
inline void mix_labels(std::span<float> labels, int classes, std::span<const double> kept) {
  const std::size_t count = kept.size(), row = static_cast<std::size_t>(classes);
  for (std::size_t i = 0; i < count / 2; ++i) {
    const std::size_t j = count - 1 - i;
    mix_rows(labels.data() + i * row, labels.data() + j * row, row, kept[i], kept[j]);
  }
}

inline void check_one_each(const labelled_batch& batch, std::size_t given, const char* what) {
  check_batch(batch);
  if (given != static_cast<std::size_t>(batch.images.shape.n))
    throw shape_error(sentence("a batch of ", batch.images.shape.n, " images needs as many ", what,
                               ", and not ", given));
}

}  // namespace detail

/// The share that an image keeps in mixup: λ ~ Beta(α, α), the larger of λ and 1 − λ.
inline double mixup_share(double alpha, random_draws& draws) {
  const double share = draws.beta(alpha, alpha);
  return std::max(share, 1 - share);
}

/// The part that cutmix replaces in a picture: centre anywhere, sides √(1 − a) of the picture's for
/// a ~ Beta(α, α), halved as integers and cut off at the border. It may be empty.
inline crop_box cutmix_box(int width, int height, double alpha, random_draws& draws) {
  const auto x = static_cast<int>(draws.integer(0, width));
  const auto y = static_cast<int>(draws.integer(0, height));
  const double ratio = std::sqrt(1 - draws.beta(alpha, alpha));
  const int half_width = static_cast<int>(ratio * width) / 2;
  const int half_height = static_cast<int>(ratio * height) / 2;
  const int left = std::max(x - half_width, 0), right = std::min(x + half_width, width);
  const int top = std::max(y - half_height, 0), bottom = std::min(y + half_height, height);
  return {left, top, right - left, bottom - top};
}

/// Image i and its labels become shares[i] of themselves and the rest of their partner.
inline void mixup(const labelled_batch& batch, std::span<const double> shares) {
  detail::check_one_each(batch, shares.size(), "mixup shares");
  const std::size_t count = shares.size();
  if (count < 2) return;
  const std::size_t pixels = batch.images.shape.elements() / count;
  for (std::size_t i = 0; i < count / 2; ++i) {
    const std::size_t j = count - 1 - i;
    detail::mix_rows(batch.images.data + i * pixels, batch.images.data + j * pixels, pixels,
                     shares[i], shares[j]);
  }
  detail::mix_labels(batch.labels, batch.classes, shares);
}

namespace detail {

/// The share of its own labels that cutmix leaves each image of `width` x `height` pixels. Throws
/// `shape_error` where a box does not lie inside.
inline std::vector<double> cutmix_shares(std::span<const crop_box> boxes, int width, int height,
                                         cutmix_labels rule) {
  const double area = static_cast<double>(height) * width;
  std::vector<double> kept;
  double mean = 0;
  for (const crop_box& box : boxes) {
    if (box.left < 0 || box.top < 0 || box.width < 0 || box.height < 0 ||
        box.width > width - box.left || box.height > height - box.top)
      throw shape_error(sentence("the cutmix box of ", box.width, " x ", box.height, " pixels at (",
                                 box.left, ", ", box.top, ") does not lie inside images of ", width,
                                 " x ", height));
    kept.push_back(1 - static_cast<double>(box.width) * box.height / area);
    mean += kept.back() / static_cast<double>(boxes.size());
  }
  if (rule == cutmix_labels::by_mean_area) std::fill(kept.begin(), kept.end(), mean);
  return kept;
}

}  // namespace detail

/// Part boxes[i] of image i becomes that part of its partner. Boxes must lie inside.
inline void cutmix(const labelled_batch& batch, std::span<const crop_box> boxes,
                   cutmix_labels rule = cutmix_labels::by_own_area) {
  detail::check_one_each(batch, boxes.size(), "cutmix boxes");
  const shape4& s = batch.images.shape;
  const std::vector<double> kept = detail::cutmix_shares(boxes, s.w, s.h, rule);

  const std::size_t count = boxes.size();
  const auto channels = static_cast<std::size_t>(s.c),
             row = static_cast<std::size_t>(s.w) * channels;
  const std::size_t pixels = static_cast<std::size_t>(s.h) * row;
  for (std::size_t i = 0; i < count / 2; ++i) {
    const std::size_t j = count - 1 - i;
    for (int y = 0; y < s.h; ++y)
      for (int x = 0; x < s.w; ++x) {
        const std::size_t at =
            static_cast<std::size_t>(y) * row + static_cast<std::size_t>(x) * channels;
        float *first = batch.images.data + i * pixels + at,
              *second = batch.images.data + j * pixels + at;
        const bool first_replaced = boxes[i].holds(x, y), second_replaced = boxes[j].holds(x, y);
        if (first_replaced && second_replaced)
          std::swap_ranges(first, first + channels, second);
        else if (first_replaced)
          std::copy_n(second, channels, first);
        else if (second_replaced)
          std::copy_n(first, channels, second);
      }
  }
  detail::mix_labels(batch.labels, batch.classes, kept);
}

/// α of 0 turns one off.
struct mixing_settings {
  double mixup_alpha = 0, cutmix_alpha = 0;
  cutmix_labels labels = cutmix_labels::by_own_area;
};

/// What happens to a batch: mixup to its first images, cutmix to the others, each part reversed
/// within itself.
struct drawn_mixing {
  std::vector<double> shares;   ///< that the first images keep
  std::vector<crop_box> boxes;  ///< of those behind them
};

/// Mixup of the whole batch, or cutmix of the whole, or, with both on, mixup of the first half and
/// cutmix of the second (the larger one of an odd batch). The draws are those of (seed, step, place
/// in the batch). Throws `error` for an alpha that means nothing.
inline drawn_mixing draw_mixing(const shape4& images, const mixing_settings& settings,
                                std::uint64_t seed, std::uint64_t step) {
  for (double alpha : {settings.mixup_alpha, settings.cutmix_alpha})
    if (!(alpha >= 0 && alpha <= 1e6))
      throw error(sentence("cannot mix images with an alpha of ", alpha,
                           "; it must lie in 0 (off) to 1000000"));
  const bool both = settings.mixup_alpha > 0 && settings.cutmix_alpha > 0;
  const int mixed = settings.mixup_alpha > 0 ? (both ? images.n / 2 : images.n) : 0;
  const int cut = settings.cutmix_alpha > 0 ? images.n - mixed : 0;

  drawn_mixing drawn;
  for (int i = 0; i < mixed; ++i) {
    random_draws draws(seed, step, static_cast<std::uint64_t>(i), draw_purpose::mixup);
    drawn.shares.push_back(mixup_share(settings.mixup_alpha, draws));
  }
  for (int i = 0; i < cut; ++i) {
    random_draws draws(seed, step, static_cast<std::uint64_t>(mixed + i), draw_purpose::cutmix);
    drawn.boxes.push_back(cutmix_box(images.w, images.h, settings.cutmix_alpha, draws));
  }
  return drawn;
}

/// Draws and mixes.
inline void mix(const labelled_batch& batch, const mixing_settings& settings, std::uint64_t seed,
                std::uint64_t step) {
  check_batch(batch);
  const drawn_mixing drawn = draw_mixing(batch.images.shape, settings, seed, step);
  const int mixed = static_cast<int>(drawn.shares.size());
  const int cut = static_cast<int>(drawn.boxes.size());
  if (mixed > 0) mixup(detail::part_of(batch, 0, mixed), drawn.shares);
  if (cut > 0) cutmix(detail::part_of(batch, mixed, cut), drawn.boxes, settings.labels);
}

}  // namespace effnet
