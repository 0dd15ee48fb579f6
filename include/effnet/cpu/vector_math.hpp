#pragma once

#include <type_traits>

#include <effnet/arch/network_spec.hpp>
#include <effnet/cpu/vector.hpp>

namespace effnet::cpu {

namespace detail {

/// `x` between `low` and `high`; NaN stays NaN.
template <class Floats>
EFFNET_KERNEL_BODY void clamp(const Floats& x, const Floats& low, const Floats& high, Floats& to) {
  const Floats raised = x < low ? low : x;
  to = raised > high ? high : raised;
}
/// x - n ln 2, with ln 2 in two parts of which the first has few enough bits for its product to be
/// exact.
template <class Floats>
EFFNET_KERNEL_BODY void subtract_ln2(const Floats& x, const Floats& n, Floats& to) {
  to = (x - n * 0.693359375f) + n * 2.12194440e-4f;
}
/// x * 2^n, for whole `n` from -126 to 127.
template <class Floats>
EFFNET_KERNEL_BODY void scale_by_power(const Floats& x, const Floats& n, Floats& to) {
  using integers = decltype(x < x);        // 32 bits a lane
  const Floats shifted = n + 12582912.0f;  // 1.5 * 2^23: the whole number stands in the low bits
  integers bits, exponent;
  std::memcpy(&bits, &x, sizeof bits);
  std::memcpy(&exponent, &shifted, sizeof exponent);
  bits += exponent << 23;
  std::memcpy(&to, &bits, sizeof bits);
}
/// x / d, for d from 1 to 1e38.
template <class Floats>
EFFNET_KERNEL_BODY void divide(const Floats& x, const Floats& d, Floats& to) {
  to = x / d;
}

#if EFFNET_NAMES_INSTRUCTIONS
// GCC makes a comparison and a blend of each bound.
// The smaller and larger of two is the second where one is NaN.
EFFNET_KERNEL_BODY void clamp(const floats8& x, const floats8& low, const floats8& high,
                              floats8& to) {
  asm("vmaxps %1, %2, %0" : "=x"(to) : "x"(x), "x"(low));
  asm("vminps %1, %2, %0" : "=x"(to) : "x"(to), "x"(high));
}
EFFNET_KERNEL_BODY void clamp(const floats16& x, const floats16& low, const floats16& high,
                              floats16& to) {
  asm("vmaxps %1, %2, %0" : "=v"(to) : "v"(x), "v"(low));
  asm("vminps %1, %2, %0" : "=v"(to) : "v"(to), "v"(high));
}
// Without a rounded product, ln 2 needs no second part.
EFFNET_KERNEL_BODY void subtract_ln2(const floats8& x, const floats8& n, floats8& to) {
  const floats8 ln2 = floats8{} + 0.693147182f;
  to = x;
  asm("vfnmadd231ps %1, %2, %0" : "+x"(to) : "x"(n), "x"(ln2));
}
EFFNET_KERNEL_BODY void subtract_ln2(const floats16& x, const floats16& n, floats16& to) {
  const floats16 ln2 = floats16{} + 0.693147182f;
  to = x;
  asm("vfnmadd231ps %1, %2, %0" : "+v"(to) : "v"(n), "v"(ln2));
}
EFFNET_KERNEL_BODY void scale_by_power(const floats16& x, const floats16& n, floats16& to) {
  asm("vscalefps %2, %1, %0" : "=v"(to) : "v"(x), "v"(n));
}
/// Where dividing is slow: 14 bits of 1 / d from the processor, then one step of Newton's.
EFFNET_KERNEL_BODY void divide(const floats16& x, const floats16& d, floats16& to) {
  if (divides_fast()) {
    to = x / d;
    return;
  }
  floats16 y;
  asm("vrcp14ps %1, %0" : "=v"(y) : "v"(d));
  const floats16 first = x * y;
  to = first + first * (1.0f - d * y);
}
#endif

}  // namespace detail

/// e^x with a relative error below 8e-7: x = n ln 2 + r with |r| <= ln 2 / 2, the polynomial of
/// degree 5 whose largest relative error is as small as can be (7.5e-8), times 2^n. Below -87 and
/// above 87 it stays at the values there, so that nothing overflows or becomes denormal; NaN stays
/// NaN.
template <class Floats>
EFFNET_KERNEL_BODY void exponential(const Floats& x, Floats& to) {
  const Floats zero = {};
  Floats clamped;
  detail::clamp(x, zero - 87.0f, zero + 87.0f, clamped);
  constexpr float magic = 12582912.0f;  // adding it rounds: 1.5 * 2^23
  const Floats n = (clamped * 1.44269504f + magic) - magic;
  Floats r;
  detail::subtract_ln2(clamped, n, r);
  Floats p = r * 8.29765600e-3f + 4.19153438e-2f;
  p = p * r + 1.66675761e-1f;
  p = p * r + 4.99988891e-1f;
  p = p * r + 9.99999646e-1f;
  p = p * r + 1.00000012f;
  detail::scale_by_power(p, n, to);
}

template <class Floats>
EFFNET_KERNEL_BODY void sigmoid(const Floats& x, Floats& to) {
  Floats e;
  exponential(-x, e);
  detail::divide(Floats{} + 1.0f, 1.0f + e, to);
}

/// x * sigmoid(x).
template <class Floats>
EFFNET_KERNEL_BODY void silu(const Floats& x, Floats& to) {
  Floats e;
  exponential(-x, e);
  detail::divide(x, 1.0f + e, to);
}

/// act(x) of a whole register; `math::apply` says what each activation is.
template <class Floats>
EFFNET_KERNEL_BODY void apply(activation act, const Floats& x, Floats& to) {
  const Floats zero = {}, six = zero + 6.0f;
  to = x;
  if (act == activation::silu) {
    silu(x, to);
  } else if (act == activation::sigmoid) {
    sigmoid(x, to);
  } else if (act != activation::identity) {
    to = x > zero ? x : zero;
    if (act == activation::relu6) to = to < six ? to : six;
  }
}

/// SiLU as a constant: loops that it is passed to keep its numbers in registers.
using constant_silu = std::integral_constant<activation, activation::silu>;

/// d act(x) / dx of a whole register, as `math::derivative` defines it.
template <class Floats>
EFFNET_KERNEL_BODY void derivative(activation act, const Floats& x, Floats& to) {
  const Floats zero = {}, one = zero + 1.0f;
  to = one;
  if (act == activation::silu || act == activation::sigmoid) {
    Floats s;
    sigmoid(x, s);
    to = act == activation::silu ? s * (1.0f + x * (1.0f - s)) : s * (1.0f - s);
  } else if (act != activation::identity) {
    // One comparison: GCC 12 takes two of AVX-512 that meet apart, element by element.
    const Floats inside = act == activation::relu6 ? x * (6.0f - x) : x;
    to = inside > zero ? one : zero;
  }
}

}  // namespace effnet::cpu
