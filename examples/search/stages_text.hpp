#pragma once

#include <string>

#include <effnet/arch/network_spec.hpp>
#include <effnet/core/error.hpp>

namespace example {

/// Stages in short, one word each: "F3x4r2" is a Fused-MBConv of kernel 3, expansion 4, twice; "M"
/// an MBConv, "B" a bottleneck.
inline std::string stages_text(const effnet::network_spec& spec) {
  std::string text;
  for (const effnet::stage_spec& row : spec.stages) {
    if (!text.empty()) text += ' ';
    const char op = row.op == effnet::block_op::fused_mbconv ? 'F'
                    : row.op == effnet::block_op::mbconv     ? 'M'
                                                             : 'B';
    text += effnet::sentence(op, row.kernel, 'x', row.expand, 'r', row.repeats);
  }
  return text;
}

}  // namespace example
