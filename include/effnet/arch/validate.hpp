#pragma once

#include <string>

#include <effnet/arch/layers.hpp>
#include <effnet/core/error.hpp>

namespace effnet {

/// The rules of a table, in the order in which they are checked.
enum class spec_rule {
  none,
  has_stages,
  positive,    ///< counts, channels and sizes are at least 1, ratios within [0, 1]
  chains,      ///< a stage reads what the one before it puts out
  odd_kernel,  ///< or padding would shift the image
  stride,      ///< 1 or 2
  bottleneck_width,
};

struct spec_violation {
  spec_rule rule = spec_rule::none;
  int stage = 0;  ///< from 1; 0: the network as a whole
};

/// The first rule that `spec` breaks, if any. `network` asserts on it at compile time, `validate`
/// throws on it at run time.
constexpr spec_violation first_violation(const network_spec& spec) {
  if (spec.stages.empty()) return {spec_rule::has_stages};
  if (spec.in_channels < 1 || spec.stem < 1 || spec.head < 0 || spec.classes < 1 ||
      spec.train_size < 1 || spec.eval_size < 1 || !(spec.dropout >= 0 && spec.dropout < 1) ||
      !(spec.survival > 0 && spec.survival <= 1))
    return {spec_rule::positive};
  if (spec.stem_kernel < 1 || spec.stem_kernel % 2 == 0) return {spec_rule::odd_kernel};
  int in = spec.stem;
  for (int i = 0; i < spec.stages.count; ++i) {
    const stage_spec& row = spec.stages[static_cast<std::size_t>(i)];
    const int number = i + 1;
    if (row.repeats < 1 || row.in < 1 || row.out < 1 || row.expand < 1 || row.kernel < 1 ||
        !(row.se >= 0 && row.se <= 1))
      return {spec_rule::positive, number};
    if (row.in != in) return {spec_rule::chains, number};
    if (row.kernel % 2 == 0) return {spec_rule::odd_kernel, number};
    if (row.stride != 1 && row.stride != 2) return {spec_rule::stride, number};
    if (row.op == block_op::bottleneck && (row.out % row.expand != 0 || row.se != 0))
      return {spec_rule::bottleneck_width, number};
    in = row.out;
  }
  return {};
}

/// Throws `spec_error` with the stage, the value and the remedy where a table breaks a rule.
inline void validate(const network_spec& spec) {
  const spec_violation found = first_violation(spec);
  if (found.rule == spec_rule::none) return;
  const std::string where =
      sentence("network '", std::string_view(spec.name), "'",
               found.stage > 0 ? sentence(", stage ", found.stage) : std::string());
  const auto row = [&]() -> const stage_spec& {
    return spec.stages[static_cast<std::size_t>(found.stage - 1)];
  };
  switch (found.rule) {
    case spec_rule::none:
      return;
    case spec_rule::has_stages:
      throw spec_error(sentence(where, ": has no stages; give at least one"));
    case spec_rule::positive:
      throw spec_error(sentence(
          where,
          found.stage > 0
              ? ": repeats, kernel, expand, in and out must be at least 1 and se between 0 and 1"
              : ": channels, classes and sizes must be at least 1, dropout in [0, 1), survival in "
                "(0, 1]"));
    case spec_rule::chains: {
      const int before =
          found.stage == 1 ? spec.stem : spec.stages[static_cast<std::size_t>(found.stage - 2)].out;
      throw spec_error(sentence(where, ": reads ", row().in, " channels, but the ",
                                found.stage == 1 ? "stem" : "stage before it", " puts out ", before,
                                "; make 'in' equal to that"));
    }
    case spec_rule::odd_kernel:
      throw spec_error(sentence(where, ": kernel ",
                                found.stage > 0 ? row().kernel : spec.stem_kernel,
                                " is even; use 1, 3, 5 or 7"));
    case spec_rule::stride:
      throw spec_error(sentence(where, ": stride ", row().stride, " is neither 1 nor 2"));
    case spec_rule::bottleneck_width:
      throw spec_error(sentence(where, ": a bottleneck needs 'out' (", row().out,
                                ") divisible by 'expand' (", row().expand, ") and no se"));
  }
}

}  // namespace effnet
