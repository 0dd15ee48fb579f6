#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <effnet/arch/convention_presets.hpp>
#include <effnet/core/raw_tensor.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/json_cursor.hpp>
#include <effnet/nn/weights.hpp>

/// The text entries of a safetensors file that say how its weights are to be used:
///
///   effnet.model          name of the table                   "efficientnet_b0"
///   effnet.padding        tf_same | symmetric
///   effnet.bn_eps         number                              "0.001"
///   effnet.bn_momentum    number, weight of the new batch     "0.01"
///   effnet.input_size     pixels                              "224"
///   effnet.resize         pixels, before the crop             "256"
///   effnet.crop           center | center_nearest | squash | tf_center
///   effnet.interpolation  nearest | bilinear | bicubic | lanczos | tf_bilinear
///   effnet.mean           three numbers, pixels of 0 to 255   "123.675,116.28,103.53"
///   effnet.std            three numbers, the same units
///   effnet.classes        names by index, a JSON array of strings
///
/// Each may be absent. Other keys are of no meaning here; a key `effnet.x` that is not listed is
/// an error, `effnet.x.y` belongs to other parts.

namespace effnet {

namespace detail {

inline constexpr std::string_view metadata_prefix = "effnet.";

inline constexpr std::array<std::pair<std::string_view, padding_rule>, 2> padding_names{
    {{"tf_same", padding_rule::tf_same}, {"symmetric", padding_rule::symmetric}}};
inline constexpr std::array<std::pair<std::string_view, crop_rule>, 4> crop_names{
    {{"center", crop_rule::center},
     {"center_nearest", crop_rule::center_nearest},
     {"squash", crop_rule::squash},
     {"tf_center", crop_rule::tf_center}}};

/// The shortest text that reads back as the same number.
inline std::string number_text(float value) {
  char text[32];
  const std::to_chars_result end = std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

/// One entry that is being read: its key and where it stands, for messages.
struct metadata_entry {
  std::string_view key, value, file;

  [[noreturn]] void fail(std::string_view expected) const {
    throw file_error(sentence("metadata '", key, "' of ", path_in_quotes(file), " is ",
                              in_quotes(value), ", expected ", expected));
  }
  template <class Number>
  Number number(std::string_view text, Number least, Number most, std::string_view expected) const {
    Number parsed{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (code != std::errc() || end != text.data() + text.size() ||
        !(parsed >= least && parsed <= most))  // NaN is not within
      fail(expected);
    return parsed;
  }
  int pixels() const { return number<int>(value, 1, 1 << 14, "pixels from 1 to 16384"); }
  template <class Value, std::size_t Count>
  Value one_of(const std::array<std::pair<std::string_view, Value>, Count>& names) const {
    std::string expected;
    for (const auto& [name, meaning] : names) {
      if (name == value) return meaning;
      expected += sentence(expected.empty() ? "" : " or ", name);
    }
    fail(expected);
  }
  std::array<float, 3> three(float least) const {
    std::array<float, 3> numbers{};
    std::string_view rest = value;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::size_t comma = rest.find(',');
      if ((comma == rest.npos) != (i == 2)) fail("three numbers with commas between");
      numbers[i] = number<float>(rest.substr(0, comma), least, 1e6f,
                                 "three numbers with commas between, a deviation above 0");
      if (i < 2) rest.remove_prefix(comma + 1);
    }
    return numbers;
  }
  std::vector<std::string> texts() const {
    const std::string where = sentence("metadata '", key, "' of ", path_in_quotes(file));
    json_cursor json(value, where);
    std::vector<std::string> read;
    json.array([&] { read.push_back(json.string()); });
    json.end();
    return read;
  }
};

template <class Value, std::size_t Count>
std::string spelled(const std::array<std::pair<std::string_view, Value>, Count>& names,
                    Value value) {
  for (const auto& [name, meaning] : names)
    if (meaning == value) return std::string(name);
  return "?";
}

inline std::string three_text(const std::array<float, 3>& numbers) {
  return sentence(number_text(numbers[0]), ",", number_text(numbers[1]), ",",
                  number_text(numbers[2]));
}

inline std::string texts_json(const std::vector<std::string>& texts) {
  std::string json = "[";
  for (const std::string& text : texts) {
    if (json.size() > 1) json += ',';
    append_json(json, text);
  }
  return json + "]";
}

}  // namespace detail

/// Takes what a file's metadata says into `rule` and `labels`; what it does not say stays. Throws
/// `file_error` where an entry makes no sense.
inline void read_metadata(const state_dict& file, convention& rule,
                          std::vector<std::string>& labels) {
  for (const auto& [whole_key, value] : file.metadata) {
    if (!whole_key.starts_with(detail::metadata_prefix)) continue;
    const std::string_view key = std::string_view(whole_key).substr(detail::metadata_prefix.size());
    const detail::metadata_entry entry{whole_key, value, file.path};
    constexpr float tiny = 1e-30f;
    if (key == "padding") {
      rule.padding = entry.one_of(detail::padding_names);
    } else if (key == "bn_eps") {
      rule.bn_eps = entry.number<float>(value, tiny, 1, "a number above 0, at most 1");
    } else if (key == "bn_momentum") {
      rule.bn_momentum = entry.number<float>(value, 0, 1, "a number from 0 to 1");
    } else if (key == "input_size") {
      rule.input.size = entry.pixels();
    } else if (key == "resize") {
      rule.input.resize = entry.pixels();
    } else if (key == "crop") {
      rule.input.crop = entry.one_of(detail::crop_names);
    } else if (key == "interpolation") {
      const std::optional<interpolation> filter = find_interpolation(value);
      if (!filter) entry.fail("nearest, bilinear, bicubic, lanczos or tf_bilinear");
      rule.input.filter = *filter;
    } else if (key == "mean") {
      rule.input.mean = entry.three(-1e6f);
    } else if (key == "std") {
      rule.input.deviation = entry.three(tiny);
    } else if (key == "classes") {
      labels = entry.texts();
    } else if (key != "model" && key.find('.') == key.npos) {
      throw file_error(sentence("metadata ", in_quotes(whole_key), " of ",
                                path_in_quotes(file.path),
                                " is not known; it may come from a newer version"));
    }
  }
}

/// The entries that `read_metadata` reads back as the same rule and labels.
inline void write_metadata(std::map<std::string, std::string>& to, const weights& from) {
  const auto put = [&](std::string_view key, std::string value) {
    to[sentence(detail::metadata_prefix, key)] = std::move(value);
  };
  const input_rule& input = from.rule.input;
  put("model", std::string(std::string_view(from.spec.name)));
  put("padding", detail::spelled(detail::padding_names, from.rule.padding));
  put("bn_eps", detail::number_text(from.rule.bn_eps));
  put("bn_momentum", detail::number_text(from.rule.bn_momentum));
  put("input_size", sentence(input.size));
  put("resize", sentence(input.resize));
  put("crop", detail::spelled(detail::crop_names, input.crop));
  put("interpolation", std::string(name_of(input.filter)));
  put("mean", detail::three_text(input.mean));
  put("std", detail::three_text(input.deviation));
  if (!from.labels.empty()) put("classes", detail::texts_json(from.labels));
}

}  // namespace effnet
