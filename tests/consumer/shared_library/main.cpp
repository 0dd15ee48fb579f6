#include <algorithm>
#include <cmath>
#include <cstdio>

#include <effnet/cpu.hpp>
#include <effnet/reference.hpp>

#include "run_network.hpp"
#include "units.hpp"

int main() {
  const std::vector<float> cpu = logits_on<effnet::cpu_backend>();
  const std::vector<float> here = logits_on<effnet::reference_backend>();
  float largest = 0, difference = 0;
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    largest = std::max(largest, std::abs(here[i]));
    difference = std::max(difference, std::abs(here[i] - cpu[i]));
  }
  std::printf("largest logit %g, largest difference of the backends %g\n", double(largest),
              double(difference));
  if (!(difference <= 2e-4f * largest)) return 1;
  // The reference is the same function everywhere, to the bit.
  return here == logits_of_shared_library() && here == logits_of_reference_unit() ? 0 : 1;
}
