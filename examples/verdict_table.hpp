#pragma once

#include <string>
#include <string_view>

#include <effnet/io/atomic_file.hpp>

#include "accuracy.hpp"
#include "class_list.hpp"
#include "text_table.hpp"

namespace example {

/// Writes a verdict a line as CSV (RFC 4180), for spreadsheets and scripts.
class verdict_table {
 public:
  explicit verdict_table(const std::string& path) : file_(path) {
    file_.write(
        std::string_view("file,truth,truth_label,truth_probability,predicted,"
                         "predicted_label,probability,rank\r\n"));
  }

  void add(const std::string& name, const verdict& v, const class_list& classes) {
    file_.write(effnet::sentence(cell(name), ",", v.truth, ",", cell(classes.name(v.truth)), ",",
                                 fixed(double{v.truth_probability}, 6), ",", v.predicted, ",",
                                 cell(classes.name(v.predicted)), ",",
                                 fixed(double{v.probability}, 6), ",", v.rank + 1, "\r\n"));
  }
  void commit() { file_.commit(); }

 private:
  static std::string cell(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
    std::string quoted = "\"";
    for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
  }

  effnet::atomic_file file_;
};

}  // namespace example
