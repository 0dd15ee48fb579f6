#include <doctest/doctest.h>

#include <vector>

#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/train/trainer.hpp>

#include "../allocation_count.hpp"
#include "../oracle_fill.hpp"
#include "toy_network.hpp"

using namespace effnet;
using namespace effnet::testing;

TEST_CASE("train: no step after the first allocates memory, beside what the network does") {
  const shape4 shape{4, 40, 40, 3};
  const std::vector<float> images = oracle_images(shape), targets(12, 1.0f / 3);
  const weights start = initial_weights(toy_table(), 1);
  training_network<cpu_training_backend> network(start);
  const auto pass = [&] {
    network.forward_backward({.images = {images.data(), shape}, .targets = targets.data()});
  };
  pass();
  const int of_a_pass = allocations_of(pass);
  for (int parts : {1, 2}) {
    trainer t{start, rmsprop{}, training_options{.clip = 1, .accumulation = parts},
              cpu_training_backend{}};
    const auto step = [&] {
      t.step({.images = {images.data(), shape},
              .targets = targets.data(),
              .dropout = 0.2f,
              .stochastic_depth = 0.5f});
    };
    step();
    CHECK(allocations_of(step) == parts * of_a_pass);
  }
}
