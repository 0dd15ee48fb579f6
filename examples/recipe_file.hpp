#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/core/error.hpp>
#include <effnet/io/atomic_file.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/weight_metadata.hpp>

#include "training_recipe.hpp"

namespace example {

namespace detail {

/// The properties of a stage, by their keys.
template <class Stage, class Visitor>
void for_each_property(Stage& stage, Visitor&& visit) {
  visit("size", stage.size);
  visit("rand_augment", stage.rand_augment);
  visit("mixup", stage.mixup);
  visit("cutmix", stage.cutmix);
  visit("dropout", stage.dropout);
  visit("stochastic_depth", stage.stochastic_depth);
  visit("random_erasing", stage.random_erasing);
  visit("batch_factor", stage.batch_factor);
  visit("learning_rate_factor", stage.learning_rate_factor);
}

/// A float as the decimal that a person would write; reading it gives the same float.
inline double decimal_of(float value) {
  return std::strtod(effnet::detail::number_text(value).c_str(), nullptr);
}

/// Reads recipe.json key by key; what is wrong is told with the key.
class recipe_reader {
 public:
  recipe_reader(const nlohmann::json& json, std::string path)
      : json_(json), path_(std::move(path)) {}

  void operator()(const recipe_field& field, std::string& to) {
    const nlohmann::json* found = find(field.key());
    if (found == nullptr) return;
    if (!found->is_string()) fail(field.key(), *found, "a text");
    to = found->get<std::string>();
    if (field.choices.empty() || to.empty()) return;
    std::string expected;
    for (const std::string& choice : field.choices) {
      if (choice == to) return;
      expected += effnet::sentence(expected.empty() ? "" : ", ", choice);
    }
    fail(field.key(), *found, expected);
  }
  void operator()(const recipe_field& field, std::optional<bool>& to) {
    const nlohmann::json* found = find(field.key());
    if (found == nullptr) return;
    if (!found->is_boolean()) fail(field.key(), *found, "true or false");
    to = found->get<bool>();
  }
  template <class Number>
  void operator()(const recipe_field& field, std::optional<Number>& to) {
    const nlohmann::json* found = find(field.key());
    if (found == nullptr) return;
    const bool fits = std::is_integral_v<Number> ? found->is_number_integer() : found->is_number();
    const double value = fits ? found->get<double>() : 0;
    if (!fits || !(value >= field.least && value <= field.most))
      fail(field.key(), *found,
           effnet::sentence("a ", std::is_integral_v<Number> ? "whole " : "", "number from ",
                            field.least, " to ", field.most));
    to = found->get<Number>();
  }

  void read(std::vector<effnet::training_stage>& stages) {
    const nlohmann::json* found = find("schedule");
    if (found == nullptr) return;
    if (!found->is_array() || found->empty()) fail("schedule", *found, "an array of stages");
    for (const nlohmann::json& row : *found) {
      if (!row.is_object()) fail("schedule", row, "an array of objects");
      effnet::training_stage stage;
      std::size_t known = 0;
      for_each_property(stage, [&](const char* key, auto& value) {
        if (!row.contains(key)) return;
        if (!row.at(key).is_number()) fail(key, row.at(key), "a number");
        value = row.at(key).get<std::remove_reference_t<decltype(value)>>();
        ++known;
      });
      if (known != row.size()) fail("schedule", row, "stages without other keys");
      stages.push_back(stage);
    }
  }

  /// A key that nobody asked for would be without effect.
  void end() const {
    for (const auto& [key, value] : json_.items())
      if (std::ranges::find(known_, key) == known_.end())
        throw effnet::file_error(effnet::sentence("the recipe ", effnet::path_in_quotes(path_),
                                                  " has an unknown key ", effnet::in_quotes(key)));
  }

 private:
  const nlohmann::json* find(const std::string& key) {
    known_.push_back(key);
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }
  [[noreturn]] void fail(const std::string& key, const nlohmann::json& value,
                         const std::string& expected) const {
    const std::string text = value.is_structured() ? value.type_name() : value.dump();
    throw effnet::file_error(effnet::sentence("\"", key, "\" of the recipe ",
                                              effnet::path_in_quotes(path_), " is ",
                                              effnet::in_quotes(text), ", expected ", expected));
  }

  const nlohmann::json& json_;
  std::string path_;
  std::vector<std::string> known_;
};

}  // namespace detail

inline nlohmann::ordered_json recipe_json(const training_recipe& recipe) {
  nlohmann::ordered_json json;
  for_each_field(recipe, [&](const recipe_field& field, const auto& value) {
    if (!is_given(value)) return;
    if constexpr (requires { *value; })
      json[field.key()] = *value;
    else
      json[field.key()] = value;
  });
  for (const effnet::training_stage& stage : recipe.schedule) {
    nlohmann::ordered_json row;
    detail::for_each_property(stage, [&](const char* key, const auto& value) {
      if constexpr (std::is_integral_v<std::decay_t<decltype(value)>>)
        row[key] = value;
      else
        row[key] = detail::decimal_of(value);
    });
    json["schedule"].push_back(std::move(row));
  }
  return json;
}

inline training_recipe recipe_from_json(const nlohmann::json& json, const std::string& path) {
  training_recipe recipe;
  if (!json.is_object())
    throw effnet::file_error(
        effnet::sentence("the recipe ", effnet::path_in_quotes(path), " is no JSON object"));
  detail::recipe_reader reader(json, path);
  for_each_field(recipe, reader);
  reader.read(recipe.schedule);
  reader.end();
  return recipe;
}

inline training_recipe read_recipe(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw effnet::file_error(effnet::sentence("there is no recipe ", effnet::path_in_quotes(path)));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  try {
    return recipe_from_json(nlohmann::json::parse(text), path);
  } catch (const nlohmann::json::exception&) {
    throw effnet::file_error(
        effnet::sentence("the recipe ", effnet::path_in_quotes(path), " is not JSON"));
  }
}

inline void write_recipe(const std::string& path, const training_recipe& recipe) {
  effnet::atomic_file file(path);
  file.write(recipe_json(recipe).dump(2) + "\n");
  file.commit();
}

/// What `given` says, and what `base` says about the rest. A schedule goes where something that it
/// was made from changes.
inline training_recipe merged(const training_recipe& base, const training_recipe& given) {
  training_recipe both = base;
  bool changes_schedule = false;
  for_each_pair(both, given, [&](const recipe_field& field, auto& value, const auto& wanted) {
    if (!is_given(wanted)) return;
    changes_schedule |= field.of_schedule && !(value == wanted);
    value = wanted;
  });
  if (!given.schedule.empty())
    both.schedule = given.schedule;
  else if (changes_schedule)
    both.schedule.clear();
  return both;
}

}  // namespace example
