#pragma once

#include <string>
#include <string_view>

#include <effnet/arch/layers.hpp>
#include <effnet/core/error.hpp>

namespace effnet {

/// Which layer it is, for messages: "stage 3, block 2, depthwise" (counted from 1), "stem".
inline std::string layer_text(const layer& l) {
  constexpr std::string_view names[] = {"stem",     "expand",  "depthwise", "fused",   "squeeze",
                                        "excite",   "project", "reduce",    "spatial", "restore",
                                        "shortcut", "head",    "classifier"};
  const std::string_view name = names[static_cast<std::size_t>(l.role)];
  if (l.stage < 0) return std::string(name);
  return sentence("stage ", l.stage + 1, ", block ", l.block + 1, ", ", name);
}

}  // namespace effnet
