#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/core/error.hpp>
#include <effnet/io/atomic_file.hpp>
#include <effnet/io/in_quotes.hpp>

namespace example {

/// What training did up to a step, since the row before.
struct logged_step {
  std::int64_t step = 0;  ///< steps done
  double epoch = 0;
  int stage = 1, size = 0, batch = 0;
  double loss = 0, learning_rate = 0, gradient_norm = 0, images_per_second = 0;
  double waited = 0;   ///< share of the time that was spent waiting for data
  double seconds = 0;  ///< of training, all in all
};

/// How good the network was after a step.
struct logged_evaluation {
  std::int64_t step = 0;
  double epoch = 0;
  int stage = 1;
  double loss = 0, top1 = 0, top5 = 0;  ///< the latter in per cent
  double seconds = 0;
};

struct logged_rows {
  std::vector<logged_step> steps;
  std::vector<logged_evaluation> evaluations;

  /// Seconds of training up to the last row.
  double seconds() const {
    double most = 0;
    if (!steps.empty()) most = steps.back().seconds;
    if (!evaluations.empty() && evaluations.back().seconds > most)
      most = evaluations.back().seconds;
    return most;
  }
};

namespace detail {

inline nlohmann::ordered_json json_of(const logged_step& r) {
  return {{"step", r.step},
          {"epoch", r.epoch},
          {"stage", r.stage},
          {"size", r.size},
          {"batch", r.batch},
          {"loss", r.loss},
          {"learning_rate", r.learning_rate},
          {"gradient_norm", r.gradient_norm},
          {"images_per_second", r.images_per_second},
          {"waited", r.waited},
          {"seconds", r.seconds}};
}
inline nlohmann::ordered_json json_of(const logged_evaluation& r) {
  return {{"step", r.step}, {"epoch", r.epoch}, {"stage", r.stage},    {"val_loss", r.loss},
          {"top1", r.top1}, {"top5", r.top5},   {"seconds", r.seconds}};
}

/// The columns of the table; a row leaves those empty that it does not have.
inline constexpr const char* log_columns[] = {"step",          "epoch",         "stage",
                                              "size",          "batch",         "loss",
                                              "learning_rate", "gradient_norm", "images_per_second",
                                              "waited",        "seconds",       "val_loss",
                                              "top1",          "top5"};

inline std::string csv_line(const nlohmann::ordered_json& row) {
  std::string line;
  for (const char* column : log_columns) {
    if (column != log_columns[0]) line += ',';
    if (row.contains(column)) line += row.at(column).dump();
  }
  return line + "\r\n";
}
inline std::string csv_heading() {
  std::string line;
  for (const char* column : log_columns) line += effnet::sentence(line.empty() ? "" : ",", column);
  return line + "\r\n";
}

/// Takes a line of the log; false where it is none, as one that was cut off while it was written.
inline bool take_row(const std::string& line, logged_rows& rows, std::int64_t last_step) {
  try {
    const nlohmann::json row = nlohmann::json::parse(line);
    const auto number = [&](const char* key) {  // JSON has no other word for what is no number
      return row.at(key).is_null() ? std::nan("") : row.at(key).get<double>();
    };
    const auto whole = [&](const char* key) { return row.at(key).get<int>(); };
    const auto step = row.at("step").get<std::int64_t>();
    if (step > last_step) return true;
    if (row.contains("val_loss"))
      rows.evaluations.push_back({step, number("epoch"), whole("stage"), number("val_loss"),
                                  number("top1"), number("top5"), number("seconds")});
    else
      rows.steps.push_back({step, number("epoch"), whole("stage"), whole("size"), whole("batch"),
                            number("loss"), number("learning_rate"), number("gradient_norm"),
                            number("images_per_second"), number("waited"), number("seconds")});
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace detail

/// The rows of a log.jsonl up to a step; nothing where there is no such file.
inline logged_rows read_training_log(const std::filesystem::path& file, std::int64_t last_step) {
  logged_rows rows;
  std::ifstream lines(file, std::ios::binary);
  for (std::string line; std::getline(lines, line);)
    if (!detail::take_row(line, rows, last_step)) break;
  return rows;
}

/// Writes log.jsonl and log.csv in a folder, a row at a time, each in both and at once on its way
/// to the disk.
class training_log {
 public:
  /// Goes on after step `last_step`: what the files say about later ones, of a run that got further
  /// than its last checkpoint, goes. Throws `effnet::file_error`.
  training_log(const std::filesystem::path& folder, std::int64_t last_step)
      : rows_(read_training_log(folder / "log.jsonl", last_step)) {
    std::string lines, table = detail::csv_heading();
    std::size_t next = 0;
    const auto take = [&](const nlohmann::ordered_json& row) {
      lines += row.dump() + "\n";
      table += detail::csv_line(row);
    };
    for (const logged_step& row : rows_.steps) {
      for (; next < rows_.evaluations.size() && rows_.evaluations[next].step < row.step; ++next)
        take(detail::json_of(rows_.evaluations[next]));
      take(detail::json_of(row));
    }
    for (; next < rows_.evaluations.size(); ++next) take(detail::json_of(rows_.evaluations[next]));
    lines_ = started((folder / "log.jsonl").string(), lines);
    table_ = started((folder / "log.csv").string(), table);
  }

  void add(const logged_step& row) {
    rows_.steps.push_back(row);
    append(detail::json_of(row));
  }
  void add(const logged_evaluation& row) {
    rows_.evaluations.push_back(row);
    append(detail::json_of(row));
  }

  const logged_rows& rows() const { return rows_; }

 private:
  struct closed {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using open_file = std::unique_ptr<std::FILE, closed>;

  static open_file started(const std::string& path, const std::string& text) {
    effnet::atomic_file whole(path);
    whole.write(text);
    whole.commit();
    open_file file(std::fopen(path.c_str(), "ab"));
    if (!file) throw effnet::file_error("cannot write " + effnet::path_in_quotes(path));
    return file;
  }

  void append(const nlohmann::ordered_json& row) {
    write(lines_.get(), row.dump() + "\n");
    write(table_.get(), detail::csv_line(row));
  }
  static void write(std::FILE* file, const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), file) != text.size() || std::fflush(file) != 0)
      throw effnet::file_error("cannot write the log: is the disk full?");
  }

  logged_rows rows_;
  open_file lines_, table_;
};

}  // namespace example
