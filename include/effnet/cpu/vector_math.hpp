#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
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
/// x / d, for d from 1 on.
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
/// Where dividing is slow: 14 bits of 1 / d from the processor, then one step of Newton's.
EFFNET_KERNEL_BODY void divide(const floats16& x, const floats16& d, floats16& to) {
  if (divides_fast()) [[likely]] {
    to = x / d;
    return;
  }
  floats16 finite, y;
  asm("vminps %1, %2, %0" : "=v"(finite) : "v"(d), "v"(floats16{} + 1e38f));
  asm("vrcp14ps %1, %0" : "=v"(y) : "v"(finite));
  y += y * (1.0f - finite * y);  // before x, which may be infinite
  to = x * y;
}
#endif

/// e^-x, for x from -87 to 87: -x = n ln 2 + r with |r| <= ln 2 / 2, the polynomial of degree 5
/// whose largest relative error is as small as can be (7.5e-8), times 2^n.
template <class Floats>
EFFNET_KERNEL_BODY void exponential_of_minus(const Floats& x, Floats& to) {
  constexpr float magic = 12582912.0f;  // adding it rounds: 1.5 * 2^23
  const Floats n = (x * -1.44269504f + magic) - magic;
  Floats r;
  subtract_ln2(-x, n, r);
  Floats p = r * 8.29765600e-3f + 4.19153438e-2f;
  p = p * r + 1.66675761e-1f;
  p = p * r + 4.99988891e-1f;
  p = p * r + 9.99999646e-1f;
  p = p * r + 1.00000012f;
  scale_by_power(p, n, to);
}
/// `x` as `exponential_of_minus` takes it: where it is outside, e^-x is as good as 0 or infinite.
template <class Floats>
EFFNET_KERNEL_BODY void bound_exponent(const Floats& x, Floats& to) {
  const Floats zero = {};
  clamp(x, zero - 87.0f, zero + 87.0f, to);
}
/// The same where e^-x may be infinite for a finite x: x / (1 + e^-x) needs no lower bound.
template <class Floats>
EFFNET_KERNEL_BODY void bound_silu(const Floats& x, Floats& to) {
  bound_exponent(x, to);
}

#if EFFNET_NAMES_INSTRUCTIONS
/// 2^(j / Steps); the first but 1 is given.
template <std::size_t Steps>
constexpr std::array<float, Steps> roots_of_two(double first) {
  std::array<float, Steps> roots{};
  double root = 1;
  for (float& to : roots) to = static_cast<float>(root), root *= first;
  return roots;
}
inline constexpr std::array<float, 32> fractions16 = roots_of_two<32>(1.0218971486541166);
/// 2^(j / 8) in its bits, less j in those that n is added to.
inline constexpr std::array<std::int32_t, 8> fractions8 = [] {
  std::array<std::int32_t, 8> bits{};
  const std::array<float, 8> roots = roots_of_two<8>(1.0905077326652577);
  for (std::int32_t j = 0; const float root : roots)
    bits[static_cast<std::size_t>(j)] = std::bit_cast<std::int32_t>(root) - (j << 20), ++j;
  return bits;
}();
/// With fewer steps: -x = n ln 2 - r with n in steps of 1/8 and |r| <= ln 2 / 16, 2^n from a table
/// of its fraction, a polynomial of degree 3 (2.7e-8). Without a rounded product, ln 2 needs no
/// second part.
EFFNET_KERNEL_BODY void exponential_of_minus(const floats8& x, floats8& to) {
  using integers = int __attribute__((vector_size(32)));
  constexpr float magic = 1572864.0f;  // adding it rounds to 1/8: 1.5 * 2^20
  const floats8 rounded = x * -1.44269504f + magic, n = rounded - magic;
  const floats8 ln2 = floats8{} + 0.693147182f;
  floats8 r = x;
  asm("vfmadd231ps %1, %2, %0" : "+x"(r) : "x"(n), "x"(ln2));
  integers table, power, eighths;
  std::memcpy(&table, fractions8.data(), sizeof table);
  std::memcpy(&eighths, &rounded, sizeof eighths);
  asm("vpermd %1, %2, %0" : "=x"(power) : "x"(table), "x"(eighths));  // by its lowest three bits
  power += eighths << 20;
  floats8 scale;
  std::memcpy(&scale, &power, sizeof scale);
  const floats8 p = (r * -0.166642964f + 0.50006485f) * r - 1.0f;
  to = scale * r * p + scale;
}
/// In steps of 1/32, with |r| <= ln 2 / 64: a polynomial of degree 2 (5.3e-8). It takes every x up
/// to 87 but -infinity.
EFFNET_KERNEL_BODY void exponential_of_minus(const floats16& x, floats16& to) {
  constexpr float magic = 393216.0f;  // 1.5 * 2^18
  const floats16 rounded = x * -1.44269504f + magic, n = rounded - magic;
  const floats16 ln2 = floats16{} + 0.693147182f;
  floats16 r = x, low, high, fraction = rounded;
  asm("vfmadd231ps %1, %2, %0" : "+v"(r) : "v"(n), "v"(ln2));
  load(fractions16.data(), low);
  load(fractions16.data() + 16, high);
  // An index is the lowest five bits, and the scale floor(n).
  asm("vpermi2ps %2, %1, %0" : "+v"(fraction) : "v"(low), "v"(high));
  floats16 p = r * 0.500003636f - 1.00001466f;
  p = (p * r + 1.0f) * fraction;
  asm("vscalefps %2, %1, %0" : "=v"(to) : "v"(p), "v"(n));
}
EFFNET_KERNEL_BODY void bound_silu(const floats16& x, floats16& to) {
  asm("vminps %1, %2, %0" : "=v"(to) : "v"(x), "v"(floats16{} + 87.0f));
}
#endif

}  // namespace detail

/// 1 / (1 + e^-x) with a relative error below 8e-7; NaN stays NaN.
template <class Floats>
EFFNET_KERNEL_BODY void sigmoid(const Floats& x, Floats& to) {
  Floats bounded, e;
  detail::bound_exponent(x, bounded);
  detail::exponential_of_minus(bounded, e);
  detail::divide(Floats{} + 1.0f, 1.0f + e, to);
}

/// x * sigmoid(x), as exactly.
template <class Floats>
EFFNET_KERNEL_BODY void silu(const Floats& x, Floats& to) {
  Floats bounded, e;
  detail::bound_silu(x, bounded);
  detail::exponential_of_minus(bounded, e);
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
/// Whether there are registers enough for them, so that a second loop is worth compiling.
template <class Floats>
inline constexpr bool prefers_constant = lanes_of<Floats> > 4;

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
