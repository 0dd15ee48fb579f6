#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/arch/network_spec.hpp>
#include <effnet/arch/validate.hpp>
#include <effnet/core/error.hpp>
#include <effnet/core/file_mapping.hpp>
#include <effnet/io/atomic_file.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/weight_metadata.hpp>

/// A network's table as a JSON file:
///
///   {"name": "my_net", "in_channels": 3, "stem": 32, "stem_kernel": 3, "stem_pool": false,
///    "stages": [
///      {"op": "mbconv", "repeats": 1, "kernel": 3, "stride": 1, "expand": 1, "in": 32, "out": 16,
///       "se": 0.25}],
///    "head": 1280, "classes": 1000, "activation": "silu", "train_size": 224, "eval_size": 224,
///    "dropout": 0.2, "survival": 0.8}
///
/// "stages" must be there, and "op" and "out" in each. What else is left out has `network_spec`'s
/// default; "in" is the stage before's "out".

namespace effnet {

namespace detail {

inline constexpr std::array<std::pair<std::string_view, block_op>, 3> op_names{
    {{"mbconv", block_op::mbconv},
     {"fused_mbconv", block_op::fused_mbconv},
     {"bottleneck", block_op::bottleneck}}};
inline constexpr std::array<std::pair<std::string_view, activation>, 3> activation_names{
    {{"silu", activation::silu}, {"relu", activation::relu}, {"relu6", activation::relu6}}};

/// An object of the table; knows where it stands, and which of its keys were asked for.
class table_reader {
 public:
  table_reader(const nlohmann::json& object, std::string where)
      : object_(object), where_(std::move(where)) {
    if (!object.is_object()) throw spec_error(sentence(where_, " is no JSON object"));
  }

  void read(std::string_view key, int& value, int least, int most, bool needed = false) {
    const nlohmann::json* found = find(key, needed);
    if (found == nullptr) return;
    const bool fits = found->is_number_integer() &&
                      (found->is_number_unsigned()
                           ? found->get<std::uint64_t>() <= static_cast<std::uint64_t>(most)
                           : found->get<std::int64_t>() <= most) &&
                      found->get<std::int64_t>() >= least;
    if (!fits) fail(key, *found, sentence("a whole number from ", least, " to ", most));
    value = found->get<int>();
  }
  /// A ratio: 0 and 1 themselves are judged by `validate`.
  void read(std::string_view key, float& value) {
    const nlohmann::json* found = find(key, false);
    if (found == nullptr) return;
    const double number = found->is_number() ? found->get<double>() : -1;
    if (!(number >= 0 && number <= 1)) fail(key, *found, "a number from 0 to 1");
    value = static_cast<float>(number);
  }
  void read(std::string_view key, bool& value) {
    const nlohmann::json* found = find(key, false);
    if (found == nullptr) return;
    if (!found->is_boolean()) fail(key, *found, "true or false");
    value = found->get<bool>();
  }
  template <class Value, std::size_t Count>
  void read(std::string_view key, Value& value,
            const std::array<std::pair<std::string_view, Value>, Count>& names, bool needed) {
    const nlohmann::json* found = find(key, needed);
    if (found == nullptr) return;
    std::string expected;
    for (const auto& [name, meaning] : names) {
      if (found->is_string() && found->get_ref<const std::string&>() == name) {
        value = meaning;
        return;
      }
      expected += sentence(expected.empty() ? "" : " or ", "\"", name, "\"");
    }
    fail(key, *found, expected);
  }
  void read(std::string_view key, spec_name& value) {
    const nlohmann::json* found = find(key, false);
    if (found == nullptr) return;
    const std::string text = found->is_string() ? found->get<std::string>() : std::string();
    const bool fits = !text.empty() && text.size() <= spec_name::capacity &&
                      std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
    if (!fits)
      fail(key, *found, sentence("a text of 1 to ", spec_name::capacity, " printable characters"));
    value = spec_name(std::string_view(text));
  }
  const nlohmann::json& array(std::string_view key) {
    const nlohmann::json* found = find(key, true);
    if (!found->is_array()) fail(key, *found, "an array");
    return *found;
  }
  /// Every key must have been asked for: a misspelt one would be silently without effect.
  void end() const {
    for (const auto& [key, value] : object_.items()) {
      if (std::ranges::find(known_, key) != known_.end()) continue;
      std::string expected;
      for (std::string_view known : known_)
        expected += sentence(expected.empty() ? "" : ", ", known);
      throw spec_error(
          sentence(where_, " has an unknown key ", in_quotes(key), "; known are ", expected));
    }
  }

 private:
  const nlohmann::json* find(std::string_view key, bool needed) {
    known_.push_back(key);
    const auto found = object_.find(key);
    if (found != object_.end()) return &*found;
    if (needed) throw spec_error(sentence(where_, " lacks \"", key, "\""));
    return nullptr;
  }
  [[noreturn]] void fail(std::string_view key, const nlohmann::json& value,
                         std::string_view expected) const {
    const std::string found = value.is_structured() ? std::string(value.type_name()) : value.dump();
    throw spec_error(
        sentence(where_, ": \"", key, "\" is ", in_quotes(found), ", expected ", expected));
  }

  const nlohmann::json& object_;
  std::string where_;
  std::vector<std::string_view> known_;
};

/// Parses after two checks that the parser leaves out: depth (it recurses on destruction and
/// printing) and repeated keys (it would keep the last one silently).
inline nlohmann::json parse_table(std::string_view text, const std::string& file) {
  constexpr std::size_t most_bytes = 1 << 20;
  constexpr int most_depth = 8;
  if (text.size() > most_bytes)
    throw spec_error(
        sentence(file, " has ", text.size(), " bytes; a network's table has at most ", most_bytes));
  std::vector<std::vector<std::string>> open;  // the keys of each object around the parser
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using event_kind = nlohmann::json::parse_event_t;
    if (depth > most_depth)
      throw spec_error(sentence(file, " nests deeper than a network's table"));
    if (event == event_kind::object_start) open.emplace_back();
    if (event == event_kind::object_end) open.pop_back();
    if (event == event_kind::key) {
      const std::string& name = value.get_ref<const std::string&>();
      if (std::ranges::find(open.back(), name) != open.back().end())
        throw spec_error(sentence(file, " has the key ", in_quotes(name), " twice in one object"));
      if (open.back().size() == 64)
        throw spec_error(sentence(file, " has an object with more than 64 keys"));
      open.back().push_back(name);
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::parse_error& e) {
    const std::string_view before = text.substr(0, e.byte > 0 ? e.byte - 1 : 0);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    throw spec_error(sentence(file, " is not JSON: line ", std::ranges::count(before, '\n') + 1,
                              ", column ", before.size() - line_start + 1));
  } catch (const nlohmann::json::exception&) {  // a number beyond double
    throw spec_error(sentence(file, " holds a number that is out of range"));
  }
}

inline stage_spec stage_from(const nlohmann::json& row, std::string where, int in) {
  stage_spec stage;
  stage.in = in;
  table_reader reader(row, std::move(where));
  reader.read("op", stage.op, op_names, true);
  if (stage.op == block_op::bottleneck) stage.expand = 4;
  constexpr int most_channels = 65536;
  reader.read("repeats", stage.repeats, 1, 1000);
  reader.read("kernel", stage.kernel, 1, 11);
  reader.read("stride", stage.stride, 1, 2);
  reader.read("expand", stage.expand, 1, 64);
  reader.read("in", stage.in, 1, most_channels);
  reader.read("out", stage.out, 1, most_channels, true);
  reader.read("se", stage.se);
  reader.end();
  return stage;
}

/// A float as the decimal a person would write, 0.1 rather than 0.10000000149.
inline double decimal(float value) {
  return std::strtod(number_text(value).c_str(), nullptr);
}

}  // namespace detail

/// Reads a table from JSON text; `file` names it in messages. Throws `spec_error` with stage and
/// key: unknown and repeated keys, wrong types, values out of range, rules of `validate`.
inline network_spec spec_from_json(std::string_view text, const std::string& file = "the table") {
  const std::string name = path_in_quotes(file);
  const nlohmann::json json = detail::parse_table(text, name);
  network_spec spec;
  constexpr int most_channels = 65536, most_pixels = 1 << 14, most_classes = 1 << 20;
  detail::table_reader reader(json, name);
  spec.name = "custom";
  reader.read("name", spec.name);
  reader.read("in_channels", spec.in_channels, 1, 1024);
  reader.read("stem", spec.stem, 1, most_channels);
  reader.read("stem_kernel", spec.stem_kernel, 1, 11);
  reader.read("stem_pool", spec.stem_pool);
  reader.read("head", spec.head, 0, most_channels);
  reader.read("classes", spec.classes, 1, most_classes);
  reader.read("activation", spec.act, detail::activation_names, false);
  reader.read("train_size", spec.train_size, 1, most_pixels);
  reader.read("eval_size", spec.eval_size, 1, most_pixels);
  reader.read("dropout", spec.dropout);
  reader.read("survival", spec.survival);
  const nlohmann::json& rows = reader.array("stages");
  reader.end();
  if (rows.size() > static_cast<std::size_t>(stage_list::capacity))
    throw spec_error(sentence(name, " has ", rows.size(), " stages, at most ", stage_list::capacity,
                              " are possible"));
  int in = spec.stem;
  for (const nlohmann::json& row : rows) {
    spec.stages.push_back(
        detail::stage_from(row, sentence(name, ", stage ", spec.stages.size() + 1), in));
    in = spec.stages.back().out;
  }
  try {
    validate(spec);
  } catch (const spec_error& e) {
    throw spec_error(sentence(name, ": ", e.what()));
  }
  return spec;
}

/// The table as JSON text, complete, one stage a line; `spec_from_json` gives an equal table.
inline std::string spec_to_json(const network_spec& spec) {
  using json = nlohmann::ordered_json;
  json head = {{"name", std::string(std::string_view(spec.name))},
               {"in_channels", spec.in_channels},
               {"stem", spec.stem},
               {"stem_kernel", spec.stem_kernel},
               {"stem_pool", spec.stem_pool},
               {"head", spec.head},
               {"classes", spec.classes},
               {"activation", detail::spelled(detail::activation_names, spec.act)},
               {"train_size", spec.train_size},
               {"eval_size", spec.eval_size},
               {"dropout", detail::decimal(spec.dropout)},
               {"survival", detail::decimal(spec.survival)}};
  std::string text = head.dump(2);
  text.resize(text.rfind('\n'));  // the closing brace comes after the stages
  text += ",\n  \"stages\": [";
  for (std::size_t i = 0; i < spec.stages.size(); ++i) {
    const stage_spec& row = spec.stages[i];
    json stage = {{"op", detail::spelled(detail::op_names, row.op)},
                  {"repeats", row.repeats},
                  {"kernel", row.kernel},
                  {"stride", row.stride},
                  {"expand", row.expand},
                  {"in", row.in},
                  {"out", row.out}};
    if (row.se != 0) stage["se"] = detail::decimal(row.se);
    text += sentence(i > 0 ? "," : "", "\n    ", stage.dump());
  }
  return text + "\n  ]\n}\n";
}

/// Reads a table from a JSON file. Throws `file_error` or `spec_error`.
inline network_spec read_spec(const std::string& path) {
  const file_mapping mapping = map_file(path);
  return spec_from_json({reinterpret_cast<const char*>(mapping.bytes.data()), mapping.bytes.size()},
                        path);
}

/// Writes a table as a JSON file. Throws `file_error`.
inline void write_spec(const std::string& path, const network_spec& spec) {
  atomic_file file(path);
  file.write(spec_to_json(spec));
  file.commit();
}

}  // namespace effnet
