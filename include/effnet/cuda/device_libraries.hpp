#pragma once

#include <optional>
#include <utility>

#include <effnet/cuda/device.hpp>
#include <effnet/cuda/library_convolution.hpp>
#include <effnet/cuda/matrix_product.hpp>

/// What a `device` may have beside its kernels, found with `requires`:
///
///   plan_product(matrix_product) -> std::optional of an op
///   op.run(on, left, right, bias, result)    bias is read where it was planned with one
///   plan_convolution(library_convolution) -> std::optional of an op
///   op.run(on, first, second, result)        both sides in the order of `library_convolution`
///   op.name                                  the library's, of either
///
/// Nothing is planned where a library has no algorithm that makes the same bits every time.
/// Addresses are of the device's memory, multiples of 16.
namespace effnet::cuda {

/// What stands for an op of a library that a device does not have; none is ever made.
struct no_library_op {
  static constexpr const char* name = "";
  template <class... Arguments>
  void run(const Arguments&...) const {}
};

template <device D>
auto plan_on_library(const D& on, const matrix_product& what) {
  if constexpr (requires { on.plan_product(what); })
    return on.plan_product(what);
  else
    return std::optional<no_library_op>();
}
template <device D>
auto plan_on_library(const D& on, const library_convolution& what) {
  if constexpr (requires { on.plan_convolution(what); })
    return on.plan_convolution(what);
  else
    return std::optional<no_library_op>();
}

/// The op that a device's library makes of a description.
template <device D, class What>
using library_op = typename decltype(plan_on_library(std::declval<const D&>(), What{}))::value_type;

}  // namespace effnet::cuda
