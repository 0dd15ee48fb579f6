#pragma once

#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>

#include <CLI/CLI.hpp>

#include "program.hpp"
#include "training_recipe.hpp"

namespace example {

namespace detail {

/// Adds fields as options of a program. An option that is not given leaves its field alone.
class recipe_option_adder {
 public:
  recipe_option_adder(CLI::App& app, bool& fits_batch) : app_(app), fits_batch_(fits_batch) {}

  void operator()(const recipe_field& field, std::string& to) const {
    CLI::Option* made = app_.add_option("--" + field.name, to, field.help);
    if (field.choices.empty())
      made->type_name(field.type);
    else
      made->check(CLI::IsMember(field.choices).description(""))
          ->type_name(CLI::detail::join(field.choices, "|"));
    made->group(group_of(field));
  }
  void operator()(const recipe_field& field, std::optional<bool>& to) const {
    app_.add_flag_function(
            "--" + field.name, [&to](std::int64_t) { to = true; }, field.help)
        ->group(group_of(field));
    app_.add_flag_function(
            "--no-" + field.name, [&to](std::int64_t) { to = false; }, "Not that")
        ->group(group_of(field));
  }
  template <class Number>
  void operator()(const recipe_field& field, std::optional<Number>& to) const {
    bool* const fits = field.name == "batch" ? &fits_batch_ : nullptr;
    app_.add_option_function<std::string>(
            "--" + field.name,
            [&to, fits, field](const std::string& text) {
              if (fits != nullptr && text == "auto")
                *fits = true;
              else
                to = number<Number>(field, text);
            },
            field.help)
        ->type_name(field.type)
        ->group(group_of(field));
  }

 private:
  static std::string group_of(const recipe_field& field) {
    return field.group.empty() ? "Options" : field.group;
  }

  template <class Number>
  static Number number(const recipe_field& field, const std::string& text) {
    Number value{};
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec == std::errc() && read.ptr == end && static_cast<double>(value) >= field.least &&
        static_cast<double>(value) <= field.most)
      return value;
    throw CLI::ValidationError(
        "--" + field.name,
        effnet::sentence("expected a ", std::is_integral_v<Number> ? "whole " : "", "number from ",
                         field.least, " to ", field.most, field.type == "N|auto" ? " or auto" : "",
                         ", got '", text, "'"));
  }

  CLI::App& app_;
  bool& fits_batch_;
};

}  // namespace detail

/// Options for every field of a recipe. `fits_batch` becomes true for `--batch auto`.
inline void add_recipe_options(CLI::App& app, training_recipe& recipe, bool& fits_batch) {
  for_each_field(recipe, detail::recipe_option_adder(app, fits_batch));
}

}  // namespace example
