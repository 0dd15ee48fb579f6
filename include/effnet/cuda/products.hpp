#pragma once

#include <string_view>

namespace effnet::cuda {

/// What dense convolutions multiply, and gradients of their weights: floats, or the same rounded to
/// TF32 or bf16, as tensor cores take them. All sums are in fp32, as is everything else.
enum class products { fp32, tf32, bf16 };

constexpr std::string_view name_of(products of) {
  return of == products::fp32 ? "fp32" : of == products::tf32 ? "TF32" : "bf16";
}

}  // namespace effnet::cuda
