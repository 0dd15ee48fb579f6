#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/backend/normalised.hpp>
#include <effnet/cpu/normalised_kernels.hpp>

namespace effnet::cpu {

namespace detail {

/// Pixels of one image, for `make_normalised_rows`. Pointers stand at the first channel.
struct normalised_pixels {
  const float* src;
  std::size_t step, rows, channels;
  const float *scale, *shift;
  const float* gate;  ///< null: 1
  float keep;
  float* to;
  std::size_t to_step, padded, ahead, panel, panel_step;
};

/// A register of channels of one pixel, or the first `part` of it.
template <bool Whole, class Floats, class Formula>
EFFNET_KERNEL_BODY void normalise_register(const Formula& formula, const normalised_pixels& n,
                                           const float* src, std::size_t c, std::size_t part,
                                           float* to) {
  Floats x, scale, shift, y, factor = Floats{} + n.keep;
  if constexpr (Whole) {
    load(src + c, x), load(n.scale + c, scale), load(n.shift + c, shift);
  } else {
    load_part(src + c, part, x), load_part(n.scale + c, part, scale);
    load_part(n.shift + c, part, shift);
  }
  if (n.gate != nullptr) {
    Floats gate;
    if constexpr (Whole)
      load(n.gate + c, gate);
    else
      load_part(n.gate + c, part, gate);
    factor *= gate;
  }
  formula.apply(x * scale + shift, y);
  y *= factor;
  if constexpr (Whole) {
    store(y, to + c);
  } else {
    store(Floats{}, to + c);
    store_part(y, part, to + c);
  }
}

template <class Floats, class Formula>
EFFNET_KERNEL_BODY void normalise_rows_body(const Formula& formula,
                                            const normalised_pixels& shared) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  const normalised_pixels n = shared;  // a copy that nobody else sees stays in registers
  const std::size_t far = std::max(fetched_ahead / n.channels, rows_at_once);
  const std::size_t ahead = (n.ahead > 0 ? n.ahead : far) * n.step;
  const float* src = n.src;
  for (std::size_t row = 0; row < n.rows; ++row, src += n.step) {
    float* to = n.to + row * n.to_step;
    std::size_t c = 0, end = n.panel;
    for (; c + lanes <= n.channels; c += lanes) {
      __builtin_prefetch(src + c + ahead);
      if (c == end) to += n.panel_step - n.panel, end += n.panel;
      normalise_register<true, Floats>(formula, n, src, c, lanes, to);
    }
    if (c < n.channels)
      normalise_register<false, Floats>(formula, n, src, c, n.channels - c, to), c += lanes;
    for (; c < n.padded; c += lanes) store(Floats{}, to + c);
  }
}
template <class Formula>
void normalise_rows_portable(const Formula& formula, const normalised_pixels& n) {
  normalise_rows_body<floats4>(formula, n);
}
template <class Formula>
EFFNET_TARGET_AVX2 void normalise_rows_avx2(const Formula& formula, const normalised_pixels& n) {
  normalise_rows_body<floats8>(formula, n);
}
template <class Formula>
EFFNET_TARGET_AVX512 void normalise_rows_avx512(const Formula& formula,
                                                const normalised_pixels& n) {
  normalise_rows_body<floats16>(formula, n);
}

}  // namespace detail

/// What readers make of some pixels of a tensor and some of their channels, in rows for a product.
struct normalised_rows {
  std::size_t first, count;       ///< pixels of the whole batch
  std::size_t channel, channels;  ///< the first, and how many
  float* to;
  std::size_t to_step;    ///< floats from one row to the next
  std::size_t padded;     ///< floats written of each, whole registers: zeros behind the channels
  std::size_t ahead = 0;  ///< pixels that are fetched ahead; 0: as suits whole rows
  /// Channels after which what follows is `panel_step` floats apart, where there are several such
  /// whole panels; 0: one.
  std::size_t panel = 0;
  std::size_t panel_step = 0;
};

inline void make_normalised_rows(const normalised& what, const normalised_rows& rows, isa best) {
  const shape4& s = what.src.shape;
  const auto all = static_cast<std::size_t>(s.c);
  const std::size_t image_pixels = static_cast<std::size_t>(s.h) * static_cast<std::size_t>(s.w);
  detail::with_formula(what.act, [&](auto formula) {
    using formula_type = decltype(formula);
    const std::size_t end = rows.first + rows.count;
    for (std::size_t p = rows.first; p < end;) {
      const std::size_t image = p / image_pixels;
      const std::size_t next = std::min(end, (image + 1) * image_pixels);
      for_isa(best, detail::normalise_rows_portable<formula_type>,
              detail::normalise_rows_avx2<formula_type>,
              detail::normalise_rows_avx512<formula_type>)(
          formula, {.src = what.src.data + p * all + rows.channel,
                    .step = all,
                    .rows = next - p,
                    .channels = rows.channels,
                    .scale = what.constants.scale + rows.channel,
                    .shift = what.constants.shift + rows.channel,
                    .gate = what.gate != nullptr ? what.gate + image * all + rows.channel : nullptr,
                    .keep = what.keep != nullptr ? what.keep[image] : 1.0f,
                    .to = rows.to + (p - rows.first) * rows.to_step,
                    .to_step = rows.to_step,
                    .padded = rows.padded,
                    .ahead = rows.ahead,
                    .panel = rows.panel > 0 ? rows.panel : rows.channels,
                    .panel_step = rows.panel_step});
      p = next;
    }
  });
}

}  // namespace effnet::cpu
