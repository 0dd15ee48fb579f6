#pragma once

#include <cstddef>
#include <cstdint>

#include <effnet/backend/staged_batch.hpp>
#include <effnet/cuda/byte_span.hpp>
#include <effnet/math/rounded_pixel.hpp>

namespace effnet::cuda {

/// One pass of a resize, along one axis, over all samples of a staged batch that want one: weights
/// in fixed point and 8 bit between passes, as `resize` on the processor, bit for bit. Where one
/// pass does, it is the second. Element i of an image is a pixel of what the pass makes.
struct resample_pictures {
  static constexpr const char* name = "resample_pictures";

  bool is_second;
  int size;
  std::uint64_t samples;
  byte_span staged;
  byte_span between;  ///< what the first pass makes of the samples that need two
  byte_span made;     ///< [n, size, size, 3] bytes

  EFFNET_HD void operator()(unsigned image, std::size_t i) const {
    const auto& sample = staged.item<staged_sample>(samples, image);
    const bool has_two = sample.across.stride > 0;
    if (!sample.is_resampled() || (!is_second && !has_two)) return;
    const bool is_down = !has_two || is_second != sample.is_down_first;
    const staged_axis& axis = is_down ? sample.down : sample.across;
    const auto wanted = static_cast<std::size_t>(size);
    const auto between_columns = static_cast<std::size_t>(sample.columns_between(size));
    const std::size_t columns = is_second ? wanted : between_columns;
    const std::size_t rows =
        is_second ? wanted : static_cast<std::size_t>(sample.rows_between(size));
    if (i >= rows * columns) return;
    const std::size_t y = i / columns, x = i - y * columns, at = is_down ? y : x;

    const bool from_between = is_second && has_two;
    const byte_span& src = from_between ? between : staged;
    const std::uint64_t place = from_between ? sample.between : sample.pixels;
    const std::size_t src_columns =
        from_between ? between_columns : static_cast<std::size_t>(sample.width);
    const auto first = static_cast<std::size_t>(staged.item<std::int32_t>(axis.taps, at));
    const std::int32_t count = staged.item<std::int32_t>(axis.taps, wanted + at);
    std::size_t weight = 2 * wanted + at * static_cast<std::size_t>(axis.stride);
    std::size_t from = 3 * (is_down ? first * src_columns + x : y * src_columns + first);
    const std::size_t step = is_down ? 3 * src_columns : 3;
    std::int32_t r = math::half_pixel, g = math::half_pixel, b = math::half_pixel;
    for (std::int32_t k = 0; k < count; ++k, ++weight, from += step) {
      const std::int32_t by = staged.item<std::int32_t>(axis.taps, weight);
      r += src.item<std::uint8_t>(place, from) * by;
      g += src.item<std::uint8_t>(place, from + 1) * by;
      b += src.item<std::uint8_t>(place, from + 2) * by;
    }

    const byte_span& dst = is_second ? made : between;
    const std::size_t to_x = is_second && sample.is_flipped ? columns - 1 - x : x;
    const std::uint64_t first_dst = is_second ? image * wanted * wanted * 3 : sample.between;
    const std::size_t to = 3 * (y * columns + to_x);
    dst.store(first_dst, to, math::rounded_pixel(r));
    dst.store(first_dst, to + 1, math::rounded_pixel(g));
    dst.store(first_dst, to + 2, math::rounded_pixel(b));
  }
};

}  // namespace effnet::cuda
