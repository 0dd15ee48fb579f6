#include <doctest/doctest.h>

#include <effnet/arch/count.hpp>
#include <effnet/arch/v1_tables.hpp>
#include <effnet/arch/v2_tables.hpp>
#include <effnet/train/decay_set.hpp>

using namespace effnet;

namespace {

std::size_t elements(const network_spec& spec, auto&& counts) {
  std::size_t sum = 0;
  for_each_tensor(spec, [&](const tensor_spec& tensor) {
    if (counts(tensor)) sum += tensor.elements();
  });
  return sum;
}

}  // namespace

TEST_CASE("train: what is trained are the parameters, not the statistics") {
  for (const network_spec* spec : {&b0, &v2_s})
    CHECK(elements(*spec, is_trained) == static_cast<std::size_t>(count_parameters(*spec)));
}

TEST_CASE("train: V2's set leaves out every tensor with one extent, V1's only batch norm's") {
  for_each_tensor(v2_b0, [](const tensor_spec& tensor) {
    CHECK(decays(decay_set::kernels, tensor) == (tensor.rank > 1));
  });
  for_each_tensor(b0, [](const tensor_spec& tensor) {
    const bool own = tensor.part == tensor_part::weight || tensor.part == tensor_part::bias;
    CHECK(decays(decay_set::all_but_batch_norm, tensor) == own);
  });
}

TEST_CASE("train: the two sets of B0 differ by the biases of squeeze-excite and classifier") {
  const auto in = [](decay_set set) {
    return elements(b0, [&](const tensor_spec& tensor) { return decays(set, tensor); });
  };
  // batch norm has as many scales and offsets as statistics
  CHECK(in(decay_set::all_but_batch_norm) == 5'288'548 - 42'016);
  std::size_t biases = 1000;
  for_each_layer(b0, [&](const layer& l) {
    if (l.role == layer_role::squeeze || l.role == layer_role::excite)
      biases += static_cast<std::size_t>(l.out);
  });
  CHECK(in(decay_set::all_but_batch_norm)-in(decay_set::kernels) == biases);
}
