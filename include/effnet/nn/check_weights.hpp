#pragma once

#include <vector>

#include <effnet/arch/validate.hpp>
#include <effnet/nn/tensors_of.hpp>
#include <effnet/nn/weights.hpp>

namespace effnet {

/// Throws `spec_error` where the table of `from` breaks a rule, `weight_error` where its tensors
/// are not those of its table, in number, shape or type.
inline void check_weights(const weights& from) {
  validate(from.spec);
  const std::vector<tensor_spec> expected = tensors_of(from.spec);
  if (from.tensors.size() != expected.size())
    throw weight_error(sentence("network '", std::string_view(from.spec.name), "' has ",
                                expected.size(), " tensors, but got ", from.tensors.size(),
                                "; load weights of this network"));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const tensor_spec& wanted = expected[i];
    const raw_tensor& got = from.tensors[i];
    if (wanted.part == tensor_part::bn_num_batches) continue;
    const std::vector<std::int64_t> shape(wanted.extents.begin(),
                                          wanted.extents.begin() + wanted.rank);
    if (got.data == nullptr || got.shape != shape || !is_floating(got.type))
      throw weight_error(sentence("network '", std::string_view(from.spec.name), "': tensor ", i,
                                  " must be floating, of shape ", shape_text(shape), ", but is ",
                                  got.data == nullptr ? "absent" : name_of(got.type), " of shape ",
                                  shape_text(got.shape), "; load weights of this network"));
  }
}

}  // namespace effnet
