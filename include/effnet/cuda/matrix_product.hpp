#pragma once

#include <cstdint>

#include <effnet/core/dtype.hpp>

namespace effnet::cuda {

/// A product of matrices as a device's library plans it: result[rows][columns] = left[rows][depth]
/// right[depth][columns], all row by row without gaps, as NHWC maps are. Sums are in fp32.
struct matrix_product {
  std::int64_t rows = 0, columns = 0, depth = 0;
  bool left_turned = false;    ///< left is stored as [depth][rows]
  bool right_turned = false;   ///< right is stored as [columns][depth]
  dtype numbers = dtype::f32;  ///< of both sides
  dtype result = dtype::f32;
  bool tf32 = false;        ///< floats may be rounded to TF32 before they are multiplied
  bool bias = false;        ///< one number a column is added, of the result's type
  bool add_result = false;  ///< what stands in the result is added
  bool relu = false;        ///< applied last
};

}  // namespace effnet::cuda
