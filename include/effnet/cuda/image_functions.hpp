#pragma once

#include <effnet/backend/staged_batch.hpp>
#include <effnet/cuda/byte_span.hpp>
#include <effnet/cuda/global_span.hpp>

namespace effnet::cuda {

/// a_share * a + b_share * b with both products rounded, as on a processor that does not fuse.
EFFNET_HD inline float weighted_sum(float a_share, float a, float b_share, float b) {
#if defined(__CUDA_ARCH__)
  return __fadd_rn(__fmul_rn(a_share, a), __fmul_rn(b_share, b));
#else
  return a_share * a + b_share * b;
#endif
}

/// Images of a staged batch from the bytes of its samples: normalised, covered, mixed. Element i of
/// an image is (pixel, channel).
struct fill_images {
  static constexpr const char* name = "fill_images";

  int size;
  std::uint64_t samples, levels;
  byte_span staged;
  byte_span made;  ///< [n, size, size, 3] bytes, of the samples that were resampled here
  global_span<float> dst;

  EFFNET_HD void operator()(unsigned image, std::size_t i) const {
    const auto element = static_cast<unsigned>(i), width = static_cast<unsigned>(size);
    const unsigned pixel = element / 3;
    const int x = static_cast<int>(pixel % width), y = static_cast<int>(pixel / width);
    const place at{x, y, element % 3, element};
    const auto& sample = staged.item<staged_sample>(samples, image);
    float value = value_of(image, sample, at);
    if (sample.mix != staged_mix::none) {
      const auto partner = static_cast<unsigned>(sample.partner);
      const auto& other = staged.item<staged_sample>(samples, partner);
      if (sample.mix == staged_mix::share)
        value = weighted_sum(sample.own_share, value, sample.partner_share,
                             value_of(partner, other, at));
      else if (sample.replaced.holds(x, y))
        value = value_of(partner, other, at);
    }
    dst.store(image * elements() + i, value);
  }

 private:
  struct place {
    int x, y;
    unsigned channel, element;
  };

  EFFNET_HD std::size_t elements() const {
    return static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3;
  }
  /// Before it is mixed.
  EFFNET_HD float value_of(unsigned image, const staged_sample& sample, const place& at) const {
    for (int k = 1; k >= 0; --k) {
      const crop_box& box = sample.covers[k].box;
      if (!box.holds(at.x, at.y)) continue;
      const int pixel = (at.y - box.top) * box.width + (at.x - box.left);
      return staged.item<float>(sample.covers[k].values,
                                static_cast<std::size_t>(pixel) * 3 + at.channel);
    }
    const std::uint8_t level = sample.is_resampled()
                                   ? made.item<std::uint8_t>(0, image * elements() + at.element)
                                   : staged.item<std::uint8_t>(sample.pixels, at.element);
    return staged.item<float>(levels, std::size_t{level} * 3 + at.channel);
  }
};

}  // namespace effnet::cuda
