#include <effnet/reference.hpp>

#include "run_network.hpp"
#include "units.hpp"

std::vector<float> logits_of_reference_unit() {
  return logits_on<effnet::reference_backend>();
}
