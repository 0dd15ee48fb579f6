#pragma once

#include <string_view>

#include <effnet/core/dtype.hpp>

namespace effnet::cuda {

/// What dense convolutions multiply, and gradients of their weights: floats, or the same rounded to
/// TF32, bf16 or fp16, as tensor cores take them. All sums are in fp32, as is everything else. fp16
/// is for inference: gradients can be too small for it.
enum class products { fp32, tf32, bf16, fp16 };

constexpr std::string_view name_of(products of) {
  constexpr std::string_view names[] = {"fp32", "TF32", "bf16", "fp16"};
  return names[static_cast<int>(of)];
}

/// As what numbers are stored that are multiplied so.
constexpr dtype type_of(products of) {
  if (of == products::bf16) return dtype::bf16;
  if (of == products::fp16) return dtype::f16;
  return dtype::f32;
}

}  // namespace effnet::cuda
