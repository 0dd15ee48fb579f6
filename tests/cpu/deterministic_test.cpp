#include <doctest/doctest.h>

#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/nn/training_network.hpp>
#include <effnet/v2.hpp>

#include "../oracle_fill.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

struct step_result {
  double loss = 0;
  std::vector<std::vector<float>> gradients;
};

step_result one_step(const network_spec& spec, const cpu_training_backend& on, int batch) {
  training_network<cpu_training_backend> net(
      oracle_weights(spec, convention_for(convention_name::tf, spec)), on);
  const shape4 shape{batch, 49, 49, 3};
  const std::vector<float> images = oracle_images(shape);
  std::vector<float> targets(static_cast<std::size_t>(batch) * 10, 0.1f);
  step_result result;
  result.loss = net.forward_backward({.images = {images.data(), shape}, .targets = targets.data()});
  for (std::size_t i = 0; i < net.tensors().size(); ++i)
    result.gradients.emplace_back(net.gradient(i).begin(), net.gradient(i).end());
  return result;
}
}  // namespace

TEST_CASE("cpu: a deterministic step is the same bits on any number of threads") {
  const network_spec spec = with_classes(v2_b0, 10);
  const step_result one = one_step(spec, cpu_training_backend(1, true), 6);
  for (int threads : {2, 3}) {
    const step_result more = one_step(spec, cpu_training_backend(threads, true), 6);
    CHECK(more.loss == one.loss);
    CHECK(more.gradients == one.gradients);
  }
}

TEST_CASE("cpu: a deterministic step agrees with the usual one") {
  const network_spec spec = with_classes(v2_b0, 10);
  const step_result usual = one_step(spec, cpu_training_backend(2), 6);
  const step_result fixed = one_step(spec, cpu_training_backend(2, true), 6);
  CHECK(fixed.loss == doctest::Approx(usual.loss).epsilon(1e-5));
  for (std::size_t i = 0; i < usual.gradients.size(); ++i) {
    const std::size_t count = usual.gradients[i].size();
    CHECK(largest_difference(fixed.gradients[i].data(), usual.gradients[i].data(), count) <=
          1e-4 * largest(usual.gradients[i].data(), count) + 1e-6);
  }
}

TEST_CASE("cpu: the parts of a batch are alike") {
  CHECK(cpu::detail::parts_of(16) == 8);
  CHECK(cpu::detail::parts_of(12) == 6);
  CHECK(cpu::detail::parts_of(7) == 7);
  CHECK(cpu::detail::parts_of(22) == 2);
  CHECK(cpu::detail::parts_of(11) == 1);
  CHECK(cpu::detail::parts_of(1) == 1);
}
