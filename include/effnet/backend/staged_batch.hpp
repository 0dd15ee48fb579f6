#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <effnet/core/config.hpp>
#include <effnet/core/crop_box.hpp>
#include <effnet/core/shape.hpp>

namespace effnet {

/// How one axis of a picture is resampled. From byte `taps` of the batch on stand, as int32: for
/// each of the `size` wanted pixels the first source pixel, then for each how many it takes, then
/// `stride` weights of each, with `math::pixel_weight_places`.
struct staged_axis {
  std::uint64_t taps = 0;
  int stride = 0;  ///< 0: the axis stays as it is
};

/// Numbers that cover a part of a sample: [box.height, box.width, 3] floats.
struct staged_cover {
  crop_box box;
  std::uint64_t values = 0;
};

/// Whom a sample is mixed with, by whose values before any mixing.
enum class staged_mix : std::uint8_t {
  none,
  share,  ///< own_share of its own values and partner_share of the partner's
  part    ///< the partner's in `replaced`
};

/// One sample of a batch: a part of a picture, and what makes an image of it, in this order:
/// resampled, flipped, normalised, covered, mixed. Places count the bytes of the batch.
struct staged_sample {
  std::uint64_t pixels = 0;  ///< [height, width, 3] bytes; size x size where nothing is resampled
  int width = 0, height = 0;
  staged_axis across, down;
  bool is_down_first = false, is_flipped = false;  ///< only of what is resampled
  std::uint64_t between = 0;  ///< place of what lies between two passes, in memory of its own
  staged_cover covers[2];     ///< the second on top
  staged_mix mix = staged_mix::none;
  int partner = 0;
  float own_share = 1, partner_share = 0;
  crop_box replaced;

  EFFNET_HD constexpr bool is_resampled() const { return down.stride > 0; }
  /// Where one axis does not stay as it is, what the first pass leaves for the second.
  EFFNET_HD constexpr int columns_between(int size) const { return is_down_first ? width : size; }
  EFFNET_HD constexpr int rows_between(int size) const { return is_down_first ? size : height; }
};

/// Bytes of a batch that lie next to each other in the processor's memory.
struct staged_block {
  std::uint64_t begin = 0;  ///< in the batch
  std::span<const std::byte> bytes;
};

/// A batch of pictures in the processor's memory, of which a device is to make images.
struct staged_batch {
  shape4 shape;     ///< of the images: [n, size, size, 3]
  int classes = 0;  ///< targets a sample
  std::span<const staged_block> blocks;
  std::uint64_t bytes = 0;       ///< of the batch, with gaps between blocks
  std::uint64_t samples = 0;     ///< place of [n] staged_sample
  std::uint64_t levels = 0;      ///< place of [256, 3] floats: what each value of a pixel becomes
  std::uint64_t targets = 0;     ///< place of [n, classes] floats
  std::uint64_t between = 0;     ///< bytes of all that lies between two passes
  std::size_t most_between = 0;  ///< pixels of the largest of it
  bool is_resampled = false;     ///< any sample
};

}  // namespace effnet
