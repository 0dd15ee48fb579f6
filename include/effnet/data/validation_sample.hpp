#pragma once

#include <cstddef>

#include <effnet/arch/convention.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/io/preprocess.hpp>

namespace effnet {

/// Picture `index` as a network is evaluated on it: decoded in full, then `preprocess`. `dst`
/// receives rule.size x rule.size x 3 floats. Throws `image_error` or `file_error` where the
/// picture cannot be had, `shape_error` for a rule that means nothing.
template <data_set Set>
void make_validation_sample(const Set& set, std::size_t index, const input_rule& rule, float* dst) {
  preprocess(set.image(index), rule, dst);
}

}  // namespace effnet
