#pragma once

#include <string>
#include <string_view>

#include <effnet/arch/layers.hpp>
#include <effnet/core/error.hpp>

namespace effnet {

/// A role's name: "depthwise".
constexpr std::string_view role_text(layer_role role) {
  constexpr std::string_view names[] = {"stem",     "expand",  "depthwise", "fused",   "squeeze",
                                        "excite",   "project", "reduce",    "spatial", "restore",
                                        "shortcut", "head",    "classifier"};
  return names[static_cast<std::size_t>(role)];
}

/// Which layer it is, for messages: "stage 3, block 2, depthwise" (counted from 1), "stem".
inline std::string layer_text(const layer& l) {
  if (l.stage < 0) return std::string(role_text(l.role));
  return sentence("stage ", l.stage + 1, ", block ", l.block + 1, ", ", role_text(l.role));
}

}  // namespace effnet
