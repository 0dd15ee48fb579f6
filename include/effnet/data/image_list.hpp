#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/image_files.hpp>
#include <effnet/data/text_lines.hpp>
#include <effnet/io/in_quotes.hpp>

namespace effnet {

namespace detail {

/// The fields of one line of CSV: parted by commas; in double quotes a comma is text, and two
/// quotes are one. Throws `file_error`, naming `where`, for a quote that does not end.
inline std::vector<std::string> csv_fields(std::string_view line, const std::string& where) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"')
      fields.back() += line[++i];
    else if (c == '"' && quoted)
      quoted = false;
    else if (c == '"' && fields.back().find_first_not_of(" \t") == std::string::npos)
      quoted = true, fields.back().clear();
    else if (c == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  if (quoted) throw file_error(sentence(where, " has a quote that does not end"));
  for (std::string& field : fields) {
    const std::size_t begin = std::min(field.find_first_not_of(" \t"), field.size());
    field = field.substr(begin, field.find_last_not_of(" \t") + 1 - begin);
  }
  return fields;
}

/// Names in order: as numbers where all are numbers, else by their bytes.
inline std::vector<std::string> sorted_classes(std::vector<std::string> names) {
  const auto number = [](const std::string& name) {
    unsigned value = 0;
    const char* end = name.data() + name.size();
    const auto read = std::from_chars(name.data(), end, value);
    return read.ec == std::errc{} && read.ptr == end ? std::int64_t{value} : std::int64_t{-1};
  };
  std::ranges::sort(names);
  if (std::ranges::all_of(names, [&](const std::string& name) { return number(name) >= 0; }))
    std::ranges::stable_sort(names, {}, number);
  return names;
}

/// Which fields of a CSV's lines mean what.
struct csv_columns {
  std::size_t path = 0;
  std::vector<std::size_t> labels;
  std::size_t named = 1;             ///< fields from here on are labels too
  std::vector<std::string> ignored;  ///< by their names

  /// Whether the first line is a heading.
  static bool is_heading(const std::vector<std::string>& fields) {
    return std::ranges::any_of(fields, is_path) &&
           (is_path(fields[0]) || std::ranges::any_of(fields, is_label));
  }

  /// Of two columns the one that is not the path is the label, whatever it is called. Throws
  /// `file_error` where none of more is called a label.
  static csv_columns of_heading(const std::vector<std::string>& fields, const std::string& where) {
    csv_columns columns;
    columns.path = static_cast<std::size_t>(std::ranges::find_if(fields, is_path) - fields.begin());
    columns.named = fields.size();
    for (std::size_t f = 0; f < fields.size(); ++f)
      if (f != columns.path && (fields.size() == 2 || is_label(fields[f])))
        columns.labels.push_back(f);
      else if (f != columns.path)
        columns.ignored.push_back(fields[f]);
    if (columns.labels.empty())
      throw file_error(sentence(where,
                                " is a heading without a column of labels; call it label, "
                                "or label1, label2 and so on"));
    return columns;
  }

  std::vector<std::string> labels_of(const std::vector<std::string>& fields) const {
    std::vector<std::string> found;
    for (std::size_t f : labels) found.push_back(f < fields.size() ? fields[f] : std::string());
    for (std::size_t f = named; f < fields.size(); ++f) found.push_back(fields[f]);
    while (found.size() > 1 && found.back().empty()) found.pop_back();  // tables pad lines
    return found;
  }

 private:
  static bool is_path(const std::string& name) {
    constexpr std::string_view names[] = {"path", "file", "filename", "image"};
    return std::ranges::find(names, lower_case(name)) != std::end(names);
  }
  static bool is_label(const std::string& name) {
    const std::string lower = lower_case(name);
    return lower.starts_with("label") || lower.starts_with("class");
  }
};

}  // namespace detail

/// The pictures of a CSV file with lines `path,label` or `path,label,label,...`, in its order.
/// Paths are absolute or from the folder of the list. Labels are names or numbers, and the classes
/// are the different ones, sorted; with `classes` given (those of the training set, for a
/// validation set) the places in it. A first line with a field path, file, filename or image is a
/// heading if that is its first one or another begins with label or class; of more than two columns
/// only those then count, and the others are left out with a warning, as are pictures that are not
/// there. Throws `file_error` where the list cannot be read, a line is malformed, a class is
/// unknown or no picture is there.
inline image_files read_image_list(const std::string& path, std::vector<std::string> classes = {}) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const auto at_line = [&](std::size_t i) {
    return sentence("line ", i + 1, " of ", path_in_quotes(path));
  };
  const std::vector<std::string> lines = text_lines(path);
  struct row {
    std::string picture;
    std::vector<std::string> labels;
  };
  std::vector<row> rows(lines.size());
  std::map<std::string, int> label_of;
  std::vector<std::string> warnings;
  detail::csv_columns columns;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find_first_not_of(" \t") == std::string::npos) continue;
    const std::vector<std::string> fields = detail::csv_fields(lines[i], at_line(i));
    if (i == 0 && detail::csv_columns::is_heading(fields)) {
      columns = detail::csv_columns::of_heading(fields, at_line(i));
      if (const std::vector<std::string>& others = columns.ignored; !others.empty())
        warnings.push_back(
            sentence(others.size(), others.size() == 1 ? " column" : " columns", " of ",
                     path_in_quotes(path), others.size() == 1 ? " is" : " are",
                     " left out, not being called label or class: ", in_quotes(others.front()),
                     others.size() == 1 ? "" : " and others"));
      continue;
    }
    if (columns.path < fields.size()) rows[i] = {fields[columns.path], columns.labels_of(fields)};
    if (rows[i].picture.empty() || rows[i].labels.empty() ||
        std::ranges::find(rows[i].labels, "") != rows[i].labels.end())
      throw file_error(sentence(at_line(i), " is no path with labels: ", in_quotes(lines[i]),
                                "; expected PATH,LABEL or PATH,LABEL,LABEL,..."));
    for (const std::string& label : rows[i].labels) label_of.emplace(label, 0);
  }
  if (classes.empty()) {
    for (const auto& [name, unused] : label_of) classes.push_back(name);
    classes = detail::sorted_classes(std::move(classes));
  }
  for (auto& [name, label] : label_of)
    label = static_cast<int>(std::ranges::find(classes, name) - classes.begin());

  std::vector<image_files::entry> entries;
  std::size_t missing = 0, first_missing = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].picture.empty()) continue;
    std::error_code ignored;
    image_files::entry entry{rows[i].picture, {}};
    for (const std::string& name : rows[i].labels) {
      const int label = label_of.at(name);
      if (static_cast<std::size_t>(label) == classes.size())
        throw file_error(sentence(at_line(i), " has the class ", in_quotes(name),
                                  ", which is none of the ", classes.size(),
                                  " classes of this model or training set"));
      if (std::ranges::find(entry.labels, label) == entry.labels.end())
        entry.labels.push_back(label);
    }
    if (std::filesystem::is_regular_file(folder / entry.name, ignored))
      entries.push_back(std::move(entry));
    else if (missing++ == 0)
      first_missing = i;
  }
  if (entries.empty() && missing == 0)
    throw file_error(
        sentence(path_in_quotes(path), " lists no pictures: expected lines PATH,LABEL"));
  const auto absent = [&] {
    return sentence(missing, missing == 1 ? " picture" : " pictures", " of ", path_in_quotes(path),
                    missing == 1 ? " is" : " are",
                    " not there: ", path_in_quotes((folder / rows[first_missing].picture).string()),
                    " (line ", first_missing + 1, missing == 1 ? ")" : ") and others",
                    "; paths count from the folder of the list");
  };
  if (entries.empty()) throw file_error(absent());
  if (missing > 0) warnings.push_back(absent());
  return {folder, std::move(classes), std::move(entries), 0, std::move(warnings)};
}

}  // namespace effnet
