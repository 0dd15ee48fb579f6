#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/core/error.hpp>
#include <effnet/cpu/cpu_options.hpp>
#include <effnet/io/atomic_file.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/train/run_settings.hpp>

namespace example {

/// All that a training run depends on: written to recipe.json, from which it can be repeated.
struct run_recipe {
  std::string model, data, val, init, convention, classes;
  bool deterministic = false, tf32 = false;
  effnet::cpu_options cpu;
  effnet::run_settings settings;
};

/// Everything by name, the settings as in `effnet::values_of`.
inline effnet::named_values named_values_of(const run_recipe& recipe) {
  effnet::named_values all = {{"model", recipe.model},
                              {"data", recipe.data},
                              {"val", recipe.val},
                              {"init", recipe.init},
                              {"convention", recipe.convention},
                              {"classes", recipe.classes},
                              {"deterministic", recipe.deterministic},
                              {"winograd", recipe.cpu.winograd},
                              {"bf16", recipe.cpu.bf16}};
  if (recipe.tf32) all.emplace_back("tf32", true);
  for (auto& entry : effnet::values_of(recipe.settings)) all.push_back(std::move(entry));
  return all;
}

namespace detail {

/// "stages.0.size" as {"stages": [{"size": ...}]}; the lengths of lists need not be told.
inline nlohmann::ordered_json nested(const effnet::named_values& values) {
  nlohmann::ordered_json json;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& [name, value] = values[i];
    const bool is_list = i + 1 < values.size() && values[i + 1].first.starts_with(name + ".0.");
    if (is_list) continue;
    std::string pointer = "/" + name;
    for (char& c : pointer)
      if (c == '.') c = '/';
    std::visit(
        [&](const auto& plain) { json[nlohmann::ordered_json::json_pointer(pointer)] = plain; },
        value);
  }
  return json;
}

inline void flatten(const nlohmann::json& json, const std::string& name, effnet::named_values& to) {
  const std::string prefix = name.empty() ? "" : name + ".";
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) flatten(value, prefix + key, to);
  } else if (json.is_array()) {
    to.emplace_back(name, static_cast<std::int64_t>(json.size()));
    for (std::size_t i = 0; i < json.size(); ++i) flatten(json[i], prefix + std::to_string(i), to);
  } else if (json.is_boolean()) {
    to.emplace_back(name, json.get<bool>());
  } else if (json.is_number_integer()) {
    to.emplace_back(name, json.get<std::int64_t>());
  } else if (json.is_number()) {
    to.emplace_back(name, json.get<double>());
  } else if (json.is_string()) {
    to.emplace_back(name, json.get<std::string>());
  } else {
    throw effnet::setting_error(
        effnet::sentence("the setting '", name, "' is null, expected a value"));
  }
}

/// Takes a value that is not one of `effnet::run_settings` out of the list.
template <class Value>
void take(effnet::named_values& values, std::string_view name, Value& to) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].first != name) continue;
    effnet::named_values one = {std::move(values[i])};
    values.erase(values.begin() + static_cast<std::ptrdiff_t>(i));
    effnet::settings_reader reader(one);
    reader(name, to);
    return;
  }
}

}  // namespace detail

inline std::string recipe_text(const run_recipe& recipe) {
  return detail::nested(named_values_of(recipe)).dump(2) + "\n";
}

inline void write_recipe(const std::string& path, const run_recipe& recipe) {
  effnet::atomic_file file(path);
  file.write(recipe_text(recipe));
  file.commit();
}

/// Throws `effnet::file_error` for what is no recipe, by the setting at fault. What a recipe leaves
/// out is as in `base`.
inline run_recipe read_recipe(const std::string& path, const run_recipe& base = {}) {
  constexpr std::uintmax_t most_bytes = 1 << 22;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file || file.tellg() < 0)
    throw effnet::file_error(
        effnet::sentence("cannot read the recipe ", effnet::path_in_quotes(path)));
  if (static_cast<std::uintmax_t>(file.tellg()) > most_bytes)
    throw effnet::file_error(
        effnet::sentence(effnet::path_in_quotes(path), " is too large for a recipe"));
  file.seekg(0);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    if (!json.is_object()) throw effnet::setting_error("it is no JSON object");
    effnet::named_values values;
    detail::flatten(json, "", values);
    run_recipe read = base;
    detail::take(values, "model", read.model);
    detail::take(values, "data", read.data);
    detail::take(values, "val", read.val);
    detail::take(values, "init", read.init);
    detail::take(values, "convention", read.convention);
    detail::take(values, "classes", read.classes);
    detail::take(values, "deterministic", read.deterministic);
    detail::take(values, "winograd", read.cpu.winograd);
    detail::take(values, "bf16", read.cpu.bf16);
    detail::take(values, "tf32", read.tf32);
    read.settings = effnet::settings_from(values, base.settings);
    return read;
  } catch (const nlohmann::json::exception&) {
    throw effnet::file_error(
        effnet::sentence("the recipe ", effnet::path_in_quotes(path), " is not JSON"));
  } catch (const effnet::setting_error& e) {
    throw effnet::file_error(
        effnet::sentence("the recipe ", effnet::path_in_quotes(path), ": ", e.what()));
  }
}

}  // namespace example
