#pragma once

#include <cmath>

#include <effnet/arch/network_spec.hpp>
#include <effnet/core/config.hpp>

namespace effnet::math {

EFFNET_HD inline float sigmoid(float x) {
  return 1.0f / (1.0f + std::exp(-x));
}
EFFNET_HD inline float silu(float x) {
  return x * sigmoid(x);
}
EFFNET_HD inline float relu(float x) {
  return x > 0 ? x : 0;
}
EFFNET_HD inline float relu6(float x) {
  return x > 0 ? (x < 6 ? x : 6) : 0;
}

EFFNET_HD inline float apply(activation act, float x) {
  switch (act) {
    case activation::identity:
      return x;
    case activation::silu:
      return silu(x);
    case activation::relu:
      return relu(x);
    case activation::relu6:
      return relu6(x);
    case activation::sigmoid:
      return sigmoid(x);
  }
  return x;
}

/// d apply(act, x) / dx, from the source. At ReLU's corners: 0 at and below 0, ReLU6 0 from 6 on.
EFFNET_HD inline float derivative(activation act, float x) {
  switch (act) {
    case activation::identity:
      return 1;
    case activation::silu: {
      const float s = sigmoid(x);
      return s * (1 + x * (1 - s));
    }
    case activation::relu:
      return x > 0 ? 1.0f : 0.0f;
    case activation::relu6:
      return x > 0 && x < 6 ? 1.0f : 0.0f;
    case activation::sigmoid: {
      const float s = sigmoid(x);
      return s * (1 - s);
    }
  }
  return 1;
}

}  // namespace effnet::math
