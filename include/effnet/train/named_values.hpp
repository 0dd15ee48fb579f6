#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <effnet/train/setting_error.hpp>

namespace effnet {

/// The value of a setting, as JSON knows them.
using setting_value = std::variant<bool, std::int64_t, double, std::string>;

/// Settings as a flat list; members of members have dots in their names ("optimizer.decay"), lists
/// their length under the list's name and their elements under numbers ("stages", "stages.0.size").
using named_values = std::vector<std::pair<std::string, setting_value>>;

namespace detail {

template <class Number>
std::string shortest_text(Number value) {
  char text[40];
  const std::to_chars_result end = std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

}  // namespace detail

/// The value as text: numbers by as few digits as give the same number back.
inline std::string text_of(const setting_value& value) {
  if (const bool* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return detail::shortest_text(*whole);
  if (const double* real = std::get_if<double>(&value)) return detail::shortest_text(*real);
  return std::get<std::string>(value);
}

/// Writes down every setting that it is shown.
class settings_writer {
 public:
  named_values values;

  template <class Value>
  void operator()(std::string_view name, const Value& value) {
    if constexpr (std::same_as<Value, float>) {
      double shown = 0;  // 0.1f as 0.1, which is the same float again
      const std::string text = detail::shortest_text(value);
      std::from_chars(text.data(), text.data() + text.size(), shown);
      add(name, shown);
    } else if constexpr (std::same_as<Value, bool> || std::same_as<Value, double> ||
                         std::same_as<Value, std::string>) {
      add(name, value);
    } else {
      static_assert(std::integral<Value>);
      add(name, static_cast<std::int64_t>(value));
    }
  }
  template <class Enum, std::size_t Count>
  void choice(std::string_view name, Enum value, const std::array<std::string_view, Count>& names) {
    add(name, std::string(names[static_cast<std::size_t>(value)]));
  }
  /// A list: `each(element)` shows the members of one.
  template <class Element, class Each>
  void list(std::string_view name, std::vector<Element>& elements, const Each& each) {
    add(name, static_cast<std::int64_t>(elements.size()));
    for (std::size_t i = 0; i < elements.size(); ++i)
      within(sentence(name, '.', i), [&] { each(elements[i]); });
  }
  template <class Body>
  void within(std::string_view name, const Body& body) {
    const std::size_t length = prefix_.size();
    prefix_ += sentence(name, '.');
    body();
    prefix_.resize(length);
  }

 private:
  void add(std::string_view name, setting_value value) {
    values.emplace_back(prefix_ + std::string(name), std::move(value));
  }
  std::string prefix_;
};

/// Gives settings the values that a list has for them; what the list does not name stays. Throws
/// `setting_error` that names the setting whose value is of another kind. `finish` refuses names
/// that nobody asked for.
class settings_reader {
 public:
  explicit settings_reader(const named_values& values)
      : values_(values), used_(values.size(), false) {
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!places_.emplace(values[i].first, i).second)
        throw setting_error(sentence("the setting '", values[i].first, "' is given twice"));
  }

  template <class Value>
  void operator()(std::string_view name, Value& value) {
    const setting_value* given = find(name);
    if (given == nullptr) return;
    if constexpr (std::same_as<Value, bool>) {
      const bool* truth = std::get_if<bool>(given);
      if (truth == nullptr) refuse(name, *given, "true or false");
      value = *truth;
    } else if constexpr (std::same_as<Value, std::string>) {
      const std::string* text = std::get_if<std::string>(given);
      if (text == nullptr) refuse(name, *given, "a text");
      value = *text;
    } else if constexpr (std::floating_point<Value>) {
      value = static_cast<Value>(real(name, *given));
    } else {
      static_assert(std::integral<Value>);
      const double number = real(name, *given);
      const std::int64_t* exact = std::get_if<std::int64_t>(given);
      if (exact == nullptr && (number != std::floor(number) || std::abs(number) > 9e15))
        refuse(name, *given, "a whole number");
      const std::int64_t whole = exact ? *exact : static_cast<std::int64_t>(number);
      value = static_cast<Value>(whole);
      if (static_cast<std::int64_t>(value) != whole) refuse(name, *given, "a smaller number");
    }
  }
  template <class Enum, std::size_t Count>
  void choice(std::string_view name, Enum& value,
              const std::array<std::string_view, Count>& names) {
    std::string text;
    if (find(name) == nullptr) return;
    (*this)(name, text);
    std::string known;
    for (std::size_t i = 0; i < Count; ++i) {
      if (names[i] == text) {
        value = static_cast<Enum>(i);
        return;
      }
      known += sentence(i > 0 ? ", " : "", names[i]);
    }
    refuse(name, text, known);
  }
  template <class Element, class Each>
  void list(std::string_view name, std::vector<Element>& elements, const Each& each) {
    auto count = static_cast<std::int64_t>(elements.size());
    (*this)(name, count);
    if (count < 0 || count > most_elements)
      refuse(name, count, sentence("a length of 0 to ", most_elements));
    elements.resize(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < elements.size(); ++i)
      within(sentence(name, '.', i), [&] { each(elements[i]); });
  }
  template <class Body>
  void within(std::string_view name, const Body& body) {
    const std::size_t length = prefix_.size();
    prefix_ += sentence(name, '.');
    body();
    prefix_.resize(length);
  }

  /// Throws `setting_error` for the first name that is no setting.
  void finish() const {
    for (std::size_t i = 0; i < used_.size(); ++i)
      if (!used_[i])
        throw setting_error(sentence("there is no setting '", values_[i].first,
                                     "'; remove it, or look for a misspelling"));
  }

 private:
  static constexpr std::int64_t most_elements = 100'000;

  const setting_value* find(std::string_view name) {
    const auto found = places_.find(prefix_ + std::string(name));
    if (found == places_.end()) return nullptr;
    used_[found->second] = true;
    return &values_[found->second].second;
  }
  double real(std::string_view name, const setting_value& given) const {
    if (const double* number = std::get_if<double>(&given)) return *number;
    if (const auto* whole = std::get_if<std::int64_t>(&given)) return static_cast<double>(*whole);
    refuse(name, given, "a number");
  }
  [[noreturn]] void refuse(std::string_view name, const setting_value& given,
                           std::string_view expected) const {
    throw setting_error(sentence("the setting '", prefix_, name, "' is '", text_of(given),
                                 "', expected ", expected));
  }

  const named_values& values_;
  std::vector<bool> used_;
  std::map<std::string_view, std::size_t> places_;
  std::string prefix_;
};

}  // namespace effnet
