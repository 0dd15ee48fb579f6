#pragma once

#include <array>
#include <cctype>
#include <charconv>
#include <string>
#include <string_view>

#include <effnet/arch/count.hpp>
#include <effnet/arch/network_spec.hpp>
#include <effnet/core/error.hpp>

namespace effnet {

namespace detail {

/// The shortest literal that is this very float: "0.25f", "1.0f".
inline std::string float_literal(float value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  std::string text(digits.data(), end);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text + "f";
}

/// A name that C++ takes: "my-net 2" becomes my_net_2.
inline std::string identifier_of(std::string_view name) {
  std::string text;
  for (const char c : name) text += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front())) != 0)
    text.insert(0, "network_");
  return text;
}

/// The name as a string literal.
inline std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

inline std::string code_of(const stage_spec& row) {
  if (row.op == block_op::bottleneck && (row.kernel != 3 || row.expand != 4))  // not as in ResNet
    return sentence("        effnet::stage_spec{effnet::block_op::bottleneck, ", row.repeats, ", ",
                    row.kernel, ", ", row.stride, ", ", row.expand, ", ", row.in, ", ", row.out,
                    "}");
  const std::string_view op = row.op == block_op::mbconv         ? "effnet::mbconv"
                              : row.op == block_op::fused_mbconv ? "effnet::fused_mbconv"
                                                                 : "effnet::bottleneck";
  std::string text = sentence("        ", op, "{.repeats = ", row.repeats);
  if (row.op != block_op::bottleneck) text += sentence(", .kernel = ", row.kernel);
  text += sentence(", .stride = ", row.stride);
  if (row.op != block_op::bottleneck) text += sentence(", .expand = ", row.expand);
  text += sentence(", .in = ", row.in, ", .out = ", row.out);
  if (row.se > 0) text += ", .se = " + float_literal(row.se);
  return text + "}";
}

}  // namespace detail

/// A network's table as C++ that stands in a program as it is, behind `#include <effnet/v1.hpp>`:
/// a constant of the network's name, and what its parameters must come to.
inline std::string code_of(const network_spec& spec) {
  const network_spec plain;
  const std::string name = detail::identifier_of(spec.name);
  std::string text = sentence("inline constexpr effnet::network_spec ", name,
                              "{\n    .name = ", detail::quoted(spec.name), ",\n");
  const auto field = [&](std::string_view key, const auto& value, const auto& usual) {
    if (value != usual) text += sentence("    .", key, " = ", value, ",\n");
  };
  const auto ratio = [&](std::string_view key, float value, float usual) {
    if (value != usual) text += sentence("    .", key, " = ", detail::float_literal(value), ",\n");
  };
  field("in_channels", spec.in_channels, plain.in_channels);
  text += sentence("    .stem = ", spec.stem, ",\n");
  field("stem_kernel", spec.stem_kernel, plain.stem_kernel);
  if (spec.stem_pool) text += "    .stem_pool = true,\n";
  text += "    .stages = {\n";
  for (std::size_t i = 0; i < spec.stages.size(); ++i)
    text += detail::code_of(spec.stages[i]) + (i + 1 < spec.stages.size() ? ",\n" : "},\n");
  text += sentence("    .head = ", spec.head, ",\n");
  field("classes", spec.classes, plain.classes);
  constexpr std::string_view activations[] = {"identity", "silu", "relu", "relu6", "sigmoid"};
  if (spec.act != plain.act)
    text +=
        sentence("    .act = effnet::activation::", activations[static_cast<int>(spec.act)], ",\n");
  field("train_size", spec.train_size, plain.train_size);
  field("eval_size", spec.eval_size, plain.eval_size);
  ratio("dropout", spec.dropout, plain.dropout);
  ratio("survival", spec.survival, plain.survival);
  return text + sentence("};\nstatic_assert(effnet::count_parameters(", name,
                         ") == ", count_parameters(spec), ");\n");
}

}  // namespace effnet
