#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/core/error.hpp>
#include <effnet/io/in_quotes.hpp>

namespace example {

/// What a network's classes are called. `ids` are the WordNet ids of ImageNet where they are known.
struct class_list {
  std::vector<std::string> names, ids;  ///< by index; either may be empty
  std::string source;                   ///< where they come from, for messages

  std::string name(int index) const {
    const auto at = static_cast<std::size_t>(index);
    return at < names.size() && !names[at].empty() ? names[at] : effnet::sentence("class ", index);
  }
};

namespace detail {

/// One entry of a JSON list: "tench", {"wnid": ..., "name": ..., "index": ...} or Keras'
/// ["n01440764", "tench"].
inline void take_class(class_list& list, std::size_t index, const nlohmann::json& entry) {
  if (entry.is_object() && entry.contains("index")) index = entry.at("index").get<std::size_t>();
  if (index >= list.names.size() || !list.names[index].empty())
    throw effnet::file_error(effnet::sentence(effnet::in_quotes(list.source), " has ",
                                              list.names.size(), " classes, but index ", index,
                                              " twice or beyond the last"));
  if (entry.is_string()) {
    list.names[index] = entry.get<std::string>();
  } else if (entry.is_array()) {
    list.ids[index] = entry.at(0).get<std::string>();
    list.names[index] = entry.at(1).get<std::string>();
  } else {
    list.names[index] = entry.at("name").get<std::string>();
    if (entry.contains("wnid")) list.ids[index] = entry.at("wnid").get<std::string>();
  }
  if (list.names[index].empty()) list.names[index] = list.ids[index];
}

inline void take_json_classes(class_list& list, const std::string& text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    if (!json.is_array() && !json.is_object())
      throw effnet::file_error(effnet::in_quotes(list.source) +
                               " holds neither an array nor an object");
    list.names.resize(json.size());
    list.ids.resize(json.size());
    std::size_t index = 0;
    for (const auto& [key, entry] : json.items())
      take_class(list, json.is_array() ? index++ : std::stoul(key), entry);
  } catch (const std::logic_error& e) {  // std::stoul
    throw effnet::file_error(effnet::in_quotes(list.source) +
                             " is an object whose keys are not class indices");
  } catch (const nlohmann::json::exception& e) {
    throw effnet::file_error(effnet::sentence(
        effnet::in_quotes(list.source),
        " is no list of classes (expected names, or objects with wnid, index and name): ",
        e.what()));
  }
}

}  // namespace detail

/// Reads class names: one a line, or JSON.
inline class_list read_classes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path))
    throw effnet::file_error(effnet::sentence("cannot read the labels '", path, "': ",
                                              file ? "it is a folder" : "there is no such file"));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  class_list list{.names = {}, .ids = {}, .source = path};
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) throw effnet::file_error(effnet::in_quotes(path) + " has no class names");
  if (text[first] == '[' || text[first] == '{') {
    detail::take_json_classes(list, text);
    return list;
  }
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    list.names.emplace_back(line);
  }
  while (list.names.back().empty()) list.names.pop_back();  // not an empty file: see above
  return list;
}

namespace detail {

/// Without characters that a terminal would obey.
inline void make_printable(std::vector<std::string>& names) {
  for (std::string& name : names)
    std::ranges::replace_if(
        name, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
}

}  // namespace detail

/// The names in `file`, or those that came with the weights where no file is named.
inline class_list choose_classes(const std::string& file, std::vector<std::string> with_weights,
                                 int classes) {
  class_list list =
      file.empty() ? class_list{std::move(with_weights), {}, "the weights"} : read_classes(file);
  detail::make_printable(list.names);
  if (file.empty()) return list;
  if (list.names.size() != static_cast<std::size_t>(classes))
    throw effnet::file_error(effnet::sentence(effnet::in_quotes(file), " names ", list.names.size(),
                                              " classes, but the network has ", classes));
  return list;
}

/// Finds classes by what a folder or file may be called: WordNet id, name or index.
class class_finder {
 public:
  class_finder(const class_list& list, int classes) : list_(&list), classes_(classes) {
    for (std::size_t i = 0; i < list.ids.size(); ++i) add(list.ids[i], static_cast<int>(i));
    for (std::size_t i = 0; i < list.names.size(); ++i) add(list.names[i], static_cast<int>(i));
  }

  /// Where the names come from, for messages.
  const std::string& source() const { return list_->source; }

  /// Nothing where no class is called `text`. Throws where several are.
  std::optional<int> find(const std::string& text) const {
    const auto found = by_text_.find(text);
    if (found != by_text_.end() && found->second == ambiguous)
      throw effnet::error(effnet::sentence("several classes of ", list_->source, " are called '",
                                           text, "': name folders by WordNet id or index"));
    if (found != by_text_.end()) return found->second;
    if (text.empty() || text.size() > 6 || text.find_first_not_of("0123456789") != text.npos)
      return std::nullopt;
    const int index = std::stoi(text);
    return index < classes_ ? std::optional(index) : std::nullopt;
  }

 private:
  static constexpr int ambiguous = -1;

  void add(const std::string& text, int index) {
    if (text.empty()) return;
    const auto [place, is_new] = by_text_.emplace(text, index);
    if (!is_new && place->second != index) place->second = ambiguous;
  }

  const class_list* list_;
  int classes_;
  std::map<std::string, int> by_text_;
};

}  // namespace example
