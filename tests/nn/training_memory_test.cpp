#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/nn/training_network.hpp>
#include <effnet/v2.hpp>

#include "../oracle_fill.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {
/// Kilobytes of the process that are in memory; 0 where that says nothing: sanitizers keep what was
/// freed, and shadows of what is touched.
long resident() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 0;
#endif
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  return 0;
}
}  // namespace

TEST_CASE("nn: resident memory stays what it was after the first steps, at changing image sizes") {
  if (resident() == 0) {
    std::puts("SKIPPED: resident memory says nothing under sanitizers or on this system");
    return;
  }
  const network_spec spec = with_classes(v2_b0, 10);
  training_network<cpu_training_backend> net(initial_weights(spec, 1), cpu_training_backend(1));
  const std::vector<float> targets(40, 0.1f);
  const auto step = [&](int side) {
    const shape4 shape{4, side, side, 3};
    const std::vector<float> images = oracle_images(shape);
    net.values_changed();
    net.forward_backward({.images = {images.data(), shape}, .targets = targets.data()});
  };
  for (int side : {64, 48, 64}) step(side);
  const long before = resident();
  for (int i = 0; i < 30; ++i) step(i % 2 == 0 ? 48 : 64);
  CHECK(resident() - before < 2000);
}
