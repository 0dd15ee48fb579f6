#include <doctest/doctest.h>

#include <vector>

#include <effnet/cpu.hpp>
#include <effnet/reference.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "../allocation_count.hpp"
#include "../oracle_fill.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

template <backend B>
int allocations_after_the_first_pass(const network_spec& spec) {
  const dynamic_network<B> net{initial_weights(spec)};
  auto session = net.make_session({.features = true});
  const shape4 shapes[] = {{1, 64, 64, 3}, {2, 33, 48, 3}};
  const std::vector<float> images(2 * 64 * 64 * 3, 0.5f);
  for (const shape4& shape : shapes) session.run({images.data(), shape});
  return allocations_of([&] {
    for (int i = 0; i < 3; ++i)
      for (const shape4& shape : shapes) session.run({images.data(), shape});
  });
}
}  // namespace

TEST_CASE("nn: a forward pass after the first allocates nothing") {
  CHECK(allocations_after_the_first_pass<cpu_backend>(b0) == 0);
  CHECK(allocations_after_the_first_pass<cpu_backend>(v2_b0) == 0);
  CHECK(allocations_after_the_first_pass<reference_backend>(v2_b0) == 0);
}

TEST_CASE("nn: the count of allocations sees what a first pass allocates") {
  const dynamic_network<cpu_backend> net{initial_weights(v2_b0)};
  auto session = net.make_session();
  const std::vector<float> images(32 * 32 * 3);
  CHECK(allocations_of([&] { session.run({images.data(), {1, 32, 32, 3}}); }) > 100);
}
