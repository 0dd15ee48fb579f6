#pragma once

#include <optional>
#include <utility>

#include <effnet/core/error.hpp>
#include <effnet/cuda/device_libraries.hpp>

namespace effnet::cuda {

/// A library's product for maps as they are stored, and where it may be one of rows of numbers for
/// floats, which those are whatever maps are.
template <device D>
class product_by_result {
 public:
  /// Nothing unless there is an algorithm for every type that the result may have.
  static std::optional<product_by_result> plan(const D& on, matrix_product what, bool of_rows) {
    product_by_result made;
    made.numbers_ = what.result = what.numbers;
    made.stored_ = plan_on_library(on, what);
    if (!made.stored_) return std::nullopt;
    if (of_rows && what.numbers != dtype::f32) {
      what.result = dtype::f32;
      made.floats_ = plan_on_library(on, what);
      if (!made.floats_) return std::nullopt;
    }
    return made;
  }

  /// Throws `backend_error` for a type that it was not planned for.
  const library_op<D, matrix_product>& of_type(dtype result) const {
    if (result == numbers_) return *stored_;
    if (result == dtype::f32 && floats_) return *floats_;
    throw backend_error(sentence("a product of ", name_of(numbers_),
                                 " numbers was not planned for ", name_of(result), " results"));
  }

 private:
  product_by_result() = default;

  dtype numbers_ = dtype::f32;
  std::optional<library_op<D, matrix_product>> stored_, floats_;
};

}  // namespace effnet::cuda
