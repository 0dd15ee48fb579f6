#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/arch/count.hpp>
#include <effnet/core/error.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/spec_table.hpp>

namespace example {

/// An object of a journal, which nothing is taken for granted of. Throws `effnet::file_error` with
/// the place for what is missing or out of range.
class entry_reader {
 public:
  /// `where`: "'found.jsonl', line 3". The object must outlive it.
  entry_reader(const nlohmann::ordered_json& object, std::string where)
      : object_(object), where_(std::move(where)) {}

  const std::string& where() const { return where_; }
  bool has(const char* key) const { return object_.contains(key); }

  double number(const char* key, double least, double most) const {
    return checked(at(key), key, least, most);
  }
  /// Positive, as times and counts are.
  double positive(const char* key) const { return number(key, 1e-300, 1e18); }
  std::uint64_t whole(const char* key, std::uint64_t least, std::uint64_t most) const {
    const std::optional<std::uint64_t> value = natural(at(key));
    if (!value || *value < least || *value > most)
      fail(key, effnet::sentence("a whole number from ", least, " to ", most));
    return *value;
  }
  int integer(const char* key, int least, int most) const {
    return static_cast<int>(
        whole(key, static_cast<std::uint64_t>(least), static_cast<std::uint64_t>(most)));
  }
  bool boolean(const char* key) const {
    if (!at(key).is_boolean()) fail(key, "true or false");
    return at(key).get<bool>();
  }
  std::string text(const char* key) const {
    if (!at(key).is_string()) fail(key, "a text");
    return at(key).get<std::string>();
  }
  std::string one_of(const char* key, std::span<const std::string_view> known) const {
    std::string expected;
    for (const std::string_view word : known) {
      if (at(key).is_string() && at(key).get_ref<const std::string&>() == word)
        return std::string(word);
      expected += effnet::sentence(expected.empty() ? "" : " or ", word);
    }
    fail(key, expected);
  }
  /// At most `longest` of them.
  std::vector<double> numbers(const char* key, double least, double most,
                              std::size_t longest) const {
    std::vector<double> values;
    for (const nlohmann::ordered_json& value : array(key, longest))
      values.push_back(checked(value, key, least, most));
    return values;
  }
  /// From 0 to `most`.
  std::vector<int> integers(const char* key, int most, std::size_t longest) const {
    std::vector<int> values;
    for (const nlohmann::ordered_json& value : array(key, longest)) {
      const std::optional<std::uint64_t> whole = natural(value);
      if (!whole || *whole > static_cast<std::uint64_t>(most))
        fail(key, effnet::sentence("whole numbers from 0 to ", most));
      values.push_back(static_cast<int>(*whole));
    }
    return values;
  }
  /// By name, an object of nothing but numbers that are not negative.
  std::vector<std::pair<std::string, double>> named_numbers(const char* key) const {
    const nlohmann::ordered_json& values = at(key);
    if (!values.is_object()) fail(key, "an object of numbers");
    std::vector<std::pair<std::string, double>> found;
    for (const auto& [name, value] : values.items())
      found.emplace_back(name, checked(value, key, 0, 1e18));
    return found;
  }
  entry_reader object(const char* key) const {
    if (!at(key).is_object()) fail(key, "an object");
    return {at(key), effnet::sentence(where_, ", \"", key, "\"")};
  }
  /// A network of a size that can be counted with.
  effnet::network_spec network(const char* key) const {
    effnet::network_spec spec;
    try {
      spec = effnet::spec_from_json(at(key).dump(), where_);
    } catch (const nlohmann::json::exception&) {
      fail(key, "a network's table");
    }
    if (spec.eval_size > 4096 || effnet::count_parameters(spec) > 1'000'000'000)
      throw effnet::file_error(effnet::sentence(where_, ": \"", key, "\" is a network of ",
                                                effnet::count_parameters(spec),
                                                " parameters on images of ", spec.eval_size,
                                                " pixels, expected at most 1000000000 and 4096"));
    return spec;
  }

 private:
  const nlohmann::ordered_json& at(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end())
      throw effnet::file_error(effnet::sentence(where_, " lacks \"", key, "\""));
    return *found;
  }
  const nlohmann::ordered_json& array(const char* key, std::size_t longest) const {
    if (!at(key).is_array() || at(key).size() > longest)
      fail(key, effnet::sentence("an array of at most ", longest, " numbers"));
    return at(key);
  }
  /// A whole number that is not negative: parsed ones are unsigned, others may be signed.
  static std::optional<std::uint64_t> natural(const nlohmann::ordered_json& value) {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    if (!value.is_number_integer() || value.get<std::int64_t>() < 0) return std::nullopt;
    return static_cast<std::uint64_t>(value.get<std::int64_t>());
  }
  double checked(const nlohmann::ordered_json& value, const char* key, double least,
                 double most) const {
    const double number =
        value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
    if (!(number >= least && number <= most))
      fail(key, effnet::sentence("a number from ", least, " to ", most));
    return number;
  }
  [[noreturn]] void fail(const char* key, const std::string& expected) const {
    const nlohmann::ordered_json& value = at(key);
    using handler = nlohmann::ordered_json::error_handler_t;
    throw effnet::file_error(effnet::sentence(
        where_, ": \"", key, "\" is ",
        value.is_structured() ? "something else" : value.dump(-1, ' ', false, handler::replace),
        ", expected ", expected));
  }

  const nlohmann::ordered_json& object_;
  std::string where_;
};

}  // namespace example
