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
  std::size_t to_step, padded;
  std::size_t ahead;  ///< floats
  std::size_t panel, panel_step;
};

template <bool Whole, class Floats>
EFFNET_KERNEL_BODY void load_some(const float* from, std::size_t part, Floats& to) {
  if constexpr (Whole)
    load(from, to);
  else
    load_part(from, part, to);
}

/// A register of channels of some pixels, or the first `part` of it.
template <bool Whole, class Floats, class Formula>
EFFNET_KERNEL_BODY void normalise_column(const Formula& formula, const normalised_pixels& n,
                                         std::size_t c, std::size_t part, const float* src,
                                         std::size_t rows, float* to) {
  Floats x, scale, shift, y, factor = Floats{} + n.keep;
  load_some<Whole>(n.scale + c, part, scale), load_some<Whole>(n.shift + c, part, shift);
  if (n.gate != nullptr) {
    load_some<Whole>(n.gate + c, part, y);
    factor *= y;
  }
  for (std::size_t row = 0; row < rows; ++row, src += n.step, to += n.to_step) {
    __builtin_prefetch(src + n.ahead);
    load_some<Whole>(src, part, x);
    formula.apply(x * scale + shift, y);
    y *= factor;
    if constexpr (Whole) {
      store(y, to);
    } else {
      store(Floats{}, to);
      store_part(y, part, to);
    }
  }
}

template <class Floats, class Formula>
EFFNET_KERNEL_BODY void normalise_rows_body(const Formula& formula,
                                            const normalised_pixels& shared) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  const normalised_pixels n = shared;  // a copy that nobody else sees stays in registers
  // Of few channels, more rows stay in the cache until the last of them is read.
  const std::size_t most = (n.channels <= 2 * lanes ? 4 : 1) * rows_together(n.step);
  for (std::size_t first = 0; first < n.rows; first += most) {
    const std::size_t rows = std::min(most, n.rows - first);
    const float* src = n.src + first * n.step;
    float* to = n.to + first * n.to_step;
    std::size_t c = 0, end = n.panel;
    for (; c + lanes <= n.channels; c += lanes) {
      if (c == end) to += n.panel_step - n.panel, end += n.panel;
      normalise_column<true, Floats>(formula, n, c, lanes, src + c, rows, to + c);
    }
    if (c < n.channels) {
      normalise_column<false, Floats>(formula, n, c, n.channels - c, src + c, rows, to + c);
      c += lanes;
    }
    for (; c < n.padded; c += lanes)
      for (std::size_t row = 0; row < rows; ++row) store(Floats{}, to + row * n.to_step + c);
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
  const std::size_t far = std::max(detail::fetched_ahead / rows.channels, detail::rows_at_once);
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
                    .ahead = (rows.ahead > 0 ? rows.ahead : far) * all,
                    .panel = rows.panel > 0 ? rows.panel : rows.channels,
                    .panel_step = rows.panel_step});
      p = next;
    }
  });
}

}  // namespace effnet::cpu
