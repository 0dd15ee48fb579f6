#pragma once

#include <cstddef>
#include <limits>

#include <effnet/cpu/sweep.hpp>
#include <effnet/cpu/vector_math.hpp>

/// The inner loops of batch norm with what follows it, for `sweep`. Pointers with a name of a row
/// hold one number a channel, the others NHWC elements.
namespace effnet::cpu::detail {

/// Loads a register and fetches what stands `ahead` floats behind it.
template <class Floats>
EFFNET_KERNEL_BODY void read(const float* from, std::size_t ahead, Floats& to) {
  __builtin_prefetch(from + ahead);
  load(from, to);
}

/// The identity.
struct unchanged {
  template <class Floats>
  EFFNET_KERNEL_BODY void apply(const Floats& x, Floats& to) const {
    to = x;
  }
  template <class Floats>
  EFFNET_KERNEL_BODY void back(const Floats&, Floats&) const {}
  template <class Floats>
  EFFNET_KERNEL_BODY void both(const Floats& x, Floats& to, Floats& slope) const {
    to = x;
    slope = Floats{} + 1.0f;
  }
};

/// ReLU and ReLU6: min(max(x, low), high).
struct clamped {
  float low = 0;
  float high = std::numeric_limits<float>::infinity();

  template <class Floats>
  EFFNET_KERNEL_BODY void apply(const Floats& x, Floats& to) const {
    const Floats zero = {};
    to = x < low ? zero + low : x;
    to = to > high ? zero + high : to;
  }
  /// The gradient `g` of the result made that of x: nothing at the corners and beyond, with
  /// one comparison as in `derivative`.
  template <class Floats>
  EFFNET_KERNEL_BODY void back(const Floats& x, Floats& g) const {
    const Floats zero = {}, inside = (x - low) * (high - x);
    g = inside > zero ? g : zero;
  }
  template <class Floats>
  EFFNET_KERNEL_BODY void both(const Floats& x, Floats& to, Floats& slope) const {
    apply(x, to);
    slope = Floats{} + 1.0f;
    back(x, slope);
  }
};

/// An activation whose formula is fixed at compile time.
template <activation Act>
struct smooth {
  template <class Floats>
  EFFNET_KERNEL_BODY void apply(const Floats& x, Floats& to) const {
    cpu::apply(Act, x, to);
  }
  template <class Floats>
  EFFNET_KERNEL_BODY void back(const Floats& x, Floats& g) const {
    Floats slope;
    derivative(Act, x, slope);
    g *= slope;
  }
  /// The activation and its derivative, for one exponential.
  template <class Floats>
  EFFNET_KERNEL_BODY void both(const Floats& x, Floats& to, Floats& slope) const {
    static_assert(Act == activation::silu || Act == activation::sigmoid);
    sigmoid(x, to);
    slope = to * (1.0f - to);
    if constexpr (Act == activation::silu) {
      slope = to + x * slope;
      to *= x;
    }
  }
};

/// Calls `run(formula)` with the formula of `act`.
template <class Run>
void with_formula(activation act, const Run& run) {
  switch (act) {
    case activation::identity:
      return run(unchanged{});
    case activation::silu:
      return run(smooth<activation::silu>{});
    case activation::relu:
      return run(clamped{});
    case activation::relu6:
      return run(clamped{.high = 6});
    case activation::sigmoid:
      return run(smooth<activation::sigmoid>{});
  }
}

/// Adds up src - near and its square.
struct moments_kernel {
  const float *src, *near_row;
  float *sum_row, *square_row;

  template <class Floats>
  EFFNET_KERNEL_BODY void column(std::size_t c, const sweep_rows& rows) const {
    Floats near, sum, squares, x;
    load(near_row + c, near);
    load(sum_row + c, sum);
    load(square_row + c, squares);
    for (std::size_t r = 0; r < rows.count; ++r) {
      read(src + rows[r] + c, rows.ahead, x);
      x -= near;
      sum += x;
      squares += x * x;
    }
    store(sum, sum_row + c);
    store(squares, square_row + c);
  }
};

/// dst = act(scale * src + shift) * factor, plus the residual where there is one.
template <class Formula, bool Residual>
struct forward_kernel {
  Formula formula;
  const float *src, *residual;
  float* dst;
  const float *scale_row, *shift_row, *factor_row;

  template <class Floats>
  EFFNET_KERNEL_BODY void column(std::size_t c, const sweep_rows& rows) const {
    Floats scale, shift, factor, x, y;
    load(scale_row + c, scale);
    load(shift_row + c, shift);
    load(factor_row + c, factor);
    for (std::size_t r = 0; r < rows.count; ++r) {
      const std::size_t i = rows[r] + c;
      read(src + i, rows.ahead, x);
      formula.apply(x * scale + shift, y);
      y *= factor;
      if constexpr (Residual) {
        read(residual + i, rows.ahead, x);
        y += x;
      }
      fetch_for_store(dst + i + rows.ahead);
      store(y, dst + i);
    }
  }
};

/// Adds up act(scale * src + shift).
template <class Formula>
struct sum_kernel {
  Formula formula;
  const float* src;
  const float *scale_row, *shift_row;
  float* sum_row;

  template <class Floats>
  EFFNET_KERNEL_BODY void column(std::size_t c, const sweep_rows& rows) const {
    Floats scale, shift, sum, x, y;
    load(scale_row + c, scale);
    load(shift_row + c, shift);
    load(sum_row + c, sum);
    for (std::size_t r = 0; r < rows.count; ++r) {
      read(src + rows[r] + c, rows.ahead, x);
      formula.apply(x * scale + shift, y);
      sum += y;
    }
    store(sum, sum_row + c);
  }
};

/// What one pass over an image can sum up for squeeze-excite's backward pass and for that of the
/// batch norm in front of it, whose gradient is linear in what is not known yet: with z = scale *
/// src + shift, the sums of diff * act(z), diff * act'(z), act'(z), and of the last two times (src
/// - mean).
template <class Formula>
struct gate_sums_kernel {
  static constexpr std::size_t sums = 5;

  Formula formula;
  const float *src, *diff;
  const float *scale_row, *shift_row, *mean_row;
  float* sum_rows;  ///< `sums` rows, each `row` floats from the one before
  std::size_t row;

  template <class Floats>
  EFFNET_KERNEL_BODY void column(std::size_t c, const sweep_rows& rows) const {
    Floats scale, shift, mean, total[sums], x, g, act, slope;
    load(scale_row + c, scale);
    load(shift_row + c, shift);
    load(mean_row + c, mean);
#pragma GCC unroll 5
    for (std::size_t k = 0; k < sums; ++k) load(sum_rows + k * row + c, total[k]);
    for (std::size_t r = 0; r < rows.count; ++r) {
      const std::size_t i = rows[r] + c;
      read(src + i, rows.ahead, x);
      read(diff + i, rows.ahead, g);
      formula.both(x * scale + shift, act, slope);
      x -= mean;
      total[0] += g * act;
      g *= slope;
      total[1] += g;
      total[2] += slope;
      total[3] += g * x;
      total[4] += slope * x;
    }
#pragma GCC unroll 5
    for (std::size_t k = 0; k < sums; ++k) store(total[k], sum_rows + k * row + c);
  }
};

/// The gradient of scale * src + shift: g = (diff_dst * factor + share) * act'(scale * src +
/// shift).
template <class Formula>
struct norm_gradient {
  Formula formula;
  const float *src, *diff_dst;
  const float *scale_row, *shift_row, *mean_row, *factor_row, *share_row;

  template <class Floats>
  struct constants {
    Floats scale, shift, mean, factor, share;
  };
  template <class Floats>
  EFFNET_KERNEL_BODY void constants_of(std::size_t c, constants<Floats>& k) const {
    load(scale_row + c, k.scale);
    load(shift_row + c, k.shift);
    load(mean_row + c, k.mean);
    load(factor_row + c, k.factor);
    load(share_row + c, k.share);
  }
  /// g and src - mean of element `i`.
  template <class Floats>
  EFFNET_KERNEL_BODY void of(std::size_t i, std::size_t ahead, const constants<Floats>& k,
                             Floats& g, Floats& centred) const {
    Floats x;
    read(src + i, ahead, x);
    read(diff_dst + i, ahead, g);
    g = g * k.factor + k.share;
    formula.back(x * k.scale + k.shift, g);
    centred = x - k.mean;
  }
};

/// Adds up g and g * (src - mean), and keeps g where somebody wants it again.
template <class Formula>
struct gradient_sums_kernel {
  norm_gradient<Formula> gradient;
  float *sum_row, *product_row;
  float* kept;  ///< may be the gradient's diff_dst; null: nobody

  template <class Floats>
  EFFNET_KERNEL_BODY void column(std::size_t c, const sweep_rows& rows) const {
    typename norm_gradient<Formula>::template constants<Floats> k;
    gradient.constants_of(c, k);
    Floats sum, products, g, centred;
    load(sum_row + c, sum);
    load(product_row + c, products);
    for (std::size_t r = 0; r < rows.count; ++r) {
      const std::size_t i = rows[r] + c;
      gradient.of(i, rows.ahead, k, g, centred);
      sum += g;
      products += g * centred;
      if (kept == nullptr) continue;
      fetch_for_store(kept + i + rows.ahead);
      store(g, kept + i);
    }
    store(sum, sum_row + c);
    store(products, product_row + c);
  }
};

/// diff_src = scale * g - offset - slope * (src - mean).
template <class Formula>
struct backward_kernel {
  norm_gradient<Formula> gradient;
  float* diff_src;
  const float *offset_row, *slope_row;

  template <class Floats>
  EFFNET_KERNEL_BODY void column(std::size_t c, const sweep_rows& rows) const {
    typename norm_gradient<Formula>::template constants<Floats> k;
    gradient.constants_of(c, k);
    Floats offset, slope, g, centred;
    load(offset_row + c, offset);
    load(slope_row + c, slope);
    for (std::size_t r = 0; r < rows.count; ++r) {
      const std::size_t i = rows[r] + c;
      gradient.of(i, rows.ahead, k, g, centred);
      fetch_for_store(diff_src + i + rows.ahead);
      store(k.scale * g - offset - slope * centred, diff_src + i);
    }
  }
};

}  // namespace effnet::cpu::detail
