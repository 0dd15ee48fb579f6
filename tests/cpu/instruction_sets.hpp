#pragma once

#include <vector>

#include <effnet/cpu/isa.hpp>

namespace effnet::testing {

/// Those that this machine has, of the ones that own kernels are written for.
inline std::vector<cpu::isa> instruction_sets() {
  std::vector<cpu::isa> here;
  for (const cpu::isa one : {cpu::isa::portable, cpu::isa::avx2, cpu::isa::avx512})
    if (one <= cpu::best_isa()) here.push_back(one);
  return here;
}

}  // namespace effnet::testing
