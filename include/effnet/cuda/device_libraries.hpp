#pragma once

#include <optional>

#include <effnet/cuda/device.hpp>
#include <effnet/cuda/matrix_product.hpp>

/// What a `device` may have beside its kernels, found with `requires`:
///
///   plan_product(matrix_product) -> std::optional of an op; nothing where its library has no
///     algorithm for it that makes the same bits every time
///   op.run(on, left, right, bias, result)    addresses of the device's memory, multiples of 16;
///     bias is read where it was planned with one
///   op.name    the library's
namespace effnet::cuda {

/// What stands for an op of a library that a device does not have; none is ever made.
struct no_library_op {
  static constexpr const char* name = "";
  template <class... Arguments>
  void run(const Arguments&...) const {}
};

template <device D>
auto plan_library_product(const D& on, const matrix_product& what) {
  if constexpr (requires { on.plan_product(what); })
    return on.plan_product(what);
  else
    return std::optional<no_library_op>();
}
template <device D>
using library_product =
    typename decltype(plan_library_product(std::declval<const D&>(), matrix_product{}))::value_type;

}  // namespace effnet::cuda
