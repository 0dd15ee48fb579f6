#pragma once

#include <effnet/arch/network_spec.hpp>
#include <effnet/cpu/vector.hpp>

namespace effnet::cpu {

/// e^x with a relative error below 5e-7: x = n ln 2 + r with |r| <= ln 2 / 2, the Taylor polynomial
/// of e^r to r^7, times 2^n. Below -87 and above 88 it stays at the values there, so that nothing
/// overflows or becomes denormal; NaN stays NaN.
template <class Floats>
EFFNET_KERNEL_BODY void exponential(const Floats& x, Floats& to) {
  using integers = decltype(x < x);  // 32 bits a lane
  const Floats zero = {};
  Floats clamped = x < -87.0f ? zero - 87.0f : x;
  clamped = clamped > 88.0f ? zero + 88.0f : clamped;
  // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
  constexpr float magic = 12582912.0f;
  const Floats shifted = clamped * 1.44269504f + magic;
  const Floats n = shifted - magic;
  // ln 2 in two parts, of which the first has few enough bits for n * part to be exact.
  const Floats r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
  Floats p = r * (1.0f / 5040) + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  integers bits, exponent;
  std::memcpy(&bits, &p, sizeof bits);
  std::memcpy(&exponent, &shifted, sizeof exponent);
  bits += exponent << 23;
  std::memcpy(&to, &bits, sizeof bits);
}

template <class Floats>
EFFNET_KERNEL_BODY void sigmoid(const Floats& x, Floats& to) {
  Floats e;
  exponential(-x, e);
  to = 1.0f / (1.0f + e);
}

/// act(x) of a whole register; `math::apply` says what each activation is.
template <class Floats>
EFFNET_KERNEL_BODY void apply(activation act, const Floats& x, Floats& to) {
  const Floats zero = {}, six = zero + 6.0f;
  to = x;
  if (act == activation::silu || act == activation::sigmoid) {
    Floats s;
    sigmoid(x, s);
    to = act == activation::silu ? x * s : s;
  } else if (act != activation::identity) {
    to = x > zero ? x : zero;
    if (act == activation::relu6) to = to < six ? to : six;
  }
}

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
