#pragma once

#include <string>

#include <effnet/arch/network_spec.hpp>
#include <effnet/core/error.hpp>

namespace example {

/// Stages in short, one word each: "F3x4r2" is a Fused-MBConv of kernel 3, expansion 4, twice; "M"
/// an MBConv.
inline std::string stages_text(const effnet::network_spec& spec) {
  std::string text;
  for (const effnet::stage_spec& row : spec.stages) {
    if (!text.empty()) text += ' ';
    text += effnet::sentence(row.op == effnet::block_op::fused_mbconv ? 'F' : 'M', row.kernel, 'x',
                             row.expand, 'r', row.repeats);
  }
  return text;
}

}  // namespace example
