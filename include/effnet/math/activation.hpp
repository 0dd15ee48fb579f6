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

}  // namespace effnet::math
