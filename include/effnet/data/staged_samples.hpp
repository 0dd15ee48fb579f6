#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <effnet/backend/staged_batch.hpp>
#include <effnet/data/mixing.hpp>
#include <effnet/data/staging_memory.hpp>
#include <effnet/data/training_sample.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/resize.hpp>

/// Training samples as a device takes them: what it makes of them is what the processor would, bit
/// for bit.
namespace effnet {

namespace detail {

/// Whether a device resizes the sample's part of the picture: nothing that the processor has to do
/// stands behind the resize, and the part is not so large that uploading it costs more than it
/// saves.
inline bool is_resized_there(const source_box& part, const sample_look& look) {
  constexpr float most_pixels = 8;  ///< of the part for one of the sample
  const bool is_fixed_point =
      look.filter != interpolation::nearest && look.filter != interpolation::tf_bilinear;
  const bool is_last = !is_augmented(look) || (look.augment == sample_augmentation::rand_augment &&
                                               !look.has_rand_augment());
  const float size = static_cast<float>(look.size);
  return is_fixed_point && is_last &&
         (part.right - part.left) * (part.bottom - part.top) <= most_pixels * size * size;
}

/// Writes an axis' taps with source pixel `origin` as the first.
inline staged_axis stage_axis(const resize_taps& taps, int origin, staging_memory& memory) {
  const std::size_t count = taps.first.size(), rows = 2 + static_cast<std::size_t>(taps.stride);
  const staging_memory::room room = memory.take(rows * count * sizeof(std::int32_t));
  auto* to = reinterpret_cast<std::int32_t*>(room.data);
  for (const int first : taps.first) *to++ = first - origin;
  to = std::ranges::copy(taps.count, to).out;
  std::ranges::copy(taps.weights, to);
  return {room.place, taps.stride};
}

/// The pixels of `picture` that `part` needs and how they are to be resized: what
/// `resize_filtered` does, but for the sums.
inline staged_sample stage_resize(const image& picture, const source_box& part,
                                  const sample_look& look, staging_memory& memory) {
  check_resize(picture, look.size, look.size, part);
  const resize_axis horizontal{look.size, 0, look.size, part.left, part.right};
  const resize_axis vertical{look.size, 0, look.size, part.top, part.bottom};
  const resize_taps across(horizontal, picture.width, look.filter);
  const resize_taps down(vertical, picture.height, look.filter);
  const int left = across.first.front(), top = down.first.front();
  staged_sample sample;
  sample.width = across.last() - left;
  sample.height = down.last() - top;
  const std::size_t row = static_cast<std::size_t>(sample.width) * 3;
  const staging_memory::room room = memory.take(row * static_cast<std::size_t>(sample.height));
  sample.pixels = room.place;
  for (std::size_t y = 0; y < static_cast<std::size_t>(sample.height); ++y)
    std::memcpy(room.data + y * row,
                picture.row(top + static_cast<int>(y)) + static_cast<std::size_t>(left) * 3, row);
  sample.down = stage_axis(down, top, memory);
  if (!horizontal.is_identity(picture.width)) {
    sample.across = stage_axis(across, left, memory);
    sample.is_down_first = goes_along_y_first(picture, horizontal, vertical, pass_order::pillow_12);
  }
  return sample;
}

}  // namespace detail

/// `make_training_sample` up to what is left to the device. Its bytes go to `memory`. Throws as
/// that does.
inline staged_sample stage_training_sample(const image& picture, const crop_box& box, int reduction,
                                           const sample_look& look, const sample_key& key,
                                           staging_memory& memory) {
  staged_sample sample;
  if (const source_box part = detail::reduced(box, reduction);
      detail::is_resized_there(part, look)) {
    sample = detail::stage_resize(picture, part, look, memory);
    sample.is_flipped = detail::is_flipped(look, key);
  } else {
    const image made = detail::made_picture(picture, box, reduction, look, key);
    sample.width = sample.height = look.size;
    sample.pixels = memory.keep(std::span<const std::uint8_t>(made.pixels));
  }
  staged_cover* next = sample.covers;
  detail::for_each_covered(look, key, [&](const crop_box& part, const auto& fill) {
    const std::size_t row = static_cast<std::size_t>(part.width) * 3;
    const std::size_t values = static_cast<std::size_t>(part.height) * row;
    if (values == 0) return;
    const staging_memory::room room = memory.take(values * sizeof(float));
    fill(reinterpret_cast<float*>(room.data), row);
    *next++ = {part, room.place};
  });
  return sample;
}

/// Mixes as `mix` does: labels here, of images how they are to be mixed.
inline void stage_mixing(std::span<staged_sample> samples, const shape4& images,
                         std::span<float> labels, int classes, const mixing_settings& settings,
                         std::uint64_t seed, std::uint64_t step) {
  const drawn_mixing drawn = draw_mixing(images, settings, seed, step);
  const std::size_t mixed = drawn.shares.size(), cut = drawn.boxes.size();
  const std::size_t labels_mixed = mixed * static_cast<std::size_t>(classes);
  const auto paired = [&](std::size_t first, std::size_t count, auto&& set) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t partner = count - 1 - i;
      if (partner == i) continue;
      staged_sample& sample = samples[first + i];
      sample.partner = static_cast<int>(first + partner);
      set(sample, i);
    }
  };
  paired(0, mixed, [&](staged_sample& sample, std::size_t i) {
    sample.mix = staged_mix::share;
    sample.own_share = static_cast<float>(drawn.shares[i]);
    sample.partner_share = static_cast<float>(1 - drawn.shares[i]);
  });
  detail::mix_labels(labels.first(labels_mixed), classes, drawn.shares);
  paired(mixed, cut, [&](staged_sample& sample, std::size_t i) {
    sample.mix = staged_mix::part;
    sample.replaced = drawn.boxes[i];
  });
  if (cut > 0)
    detail::mix_labels(labels.subspan(labels_mixed), classes,
                       detail::cutmix_shares(drawn.boxes, images.w, images.h, settings.labels));
}

/// Puts all else that a device needs beside the samples' bytes in `memory`. `blocks` has to stay
/// with the batch.
inline staged_batch stage_batch(std::span<staged_sample> samples, const shape4& images,
                                std::span<const float> targets, int classes,
                                const pixel_levels& levels, staging_memory& memory,
                                std::vector<staged_block>& blocks) {
  staged_batch batch{.shape = images, .classes = classes, .blocks = {}};
  for (staged_sample& sample : samples) {
    if (!sample.is_resampled()) continue;
    batch.is_resampled = true;
    if (sample.across.stride == 0) continue;  // one pass does
    const std::size_t pixels = static_cast<std::size_t>(sample.columns_between(images.w)) *
                               static_cast<std::size_t>(sample.rows_between(images.h));
    sample.between = batch.between;
    batch.between += pixels * 3;
    batch.most_between = std::max(batch.most_between, pixels);
  }
  batch.samples = memory.keep(std::span<const staged_sample>(samples));
  batch.levels = memory.keep(std::span<const std::array<float, 3>>(levels.all()));
  batch.targets = memory.keep(targets);
  batch.bytes = memory.extent();
  batch.blocks = memory.blocks(blocks);
  return batch;
}

}  // namespace effnet
