#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/core/error.hpp>
#include <effnet/io/atomic_file.hpp>
#include <effnet/io/in_quotes.hpp>

#include "experiments/trial.hpp"
#include "training/training_log.hpp"

namespace example {

/// What came out of a trial.
struct outcome {
  double seconds = 0;  ///< of training, all in all; or of the pass that was timed
  double top1 = 0;     ///< at the end, per cent
  logged_rows rows;    ///< of a training
  std::string machine;

  /// Images a second of a training, half of its log's rows being faster.
  double images_per_second() const {
    std::vector<double> rates;
    for (const logged_step& row : rows.steps) rates.push_back(row.images_per_second);
    if (rates.empty()) return 0;
    std::ranges::nth_element(rates, rates.begin() + static_cast<std::ptrdiff_t>(rates.size() / 2));
    return rates[rates.size() / 2];
  }
};

/// The outcomes of an experiment, as far as it has been run.
class outcomes {
 public:
  void add(const std::string& name, int seed, outcome of) { all_[name][seed] = std::move(of); }

  /// By seed; empty where there are none yet.
  const std::map<int, outcome>& of(const std::string& name) const {
    static const std::map<int, outcome> none;
    const auto found = all_.find(name);
    return found == all_.end() ? none : found->second;
  }
  /// A number of each, by seed.
  template <class Number>
  std::map<int, double> values(const std::string& name, Number&& number) const {
    std::map<int, double> by_seed;
    for (const auto& [seed, one] : of(name)) by_seed[seed] = number(one);
    return by_seed;
  }
  std::map<int, double> top1(const std::string& name) const {
    return values(name, [](const outcome& one) { return one.top1; });
  }
  std::map<int, double> seconds(const std::string& name) const {
    return values(name, [](const outcome& one) { return one.seconds; });
  }
  /// Seconds of a timing.
  std::optional<double> time(const std::string& name) const {
    const auto& all = of(name);
    if (all.empty()) return std::nullopt;
    return all.begin()->second.seconds;
  }

 private:
  std::map<std::string, std::map<int, outcome>> all_;
};

/// The folder of a trial: its definition and, when it is done, its outcome in trial.json; of a
/// training all that `train` writes.
class trial_folder {
 public:
  trial_folder(const std::filesystem::path& experiment, const trial& of,
               nlohmann::ordered_json definition)
      : path_(experiment / folder_name(of.is_training()
                                           ? effnet::sentence(of.name, "_seed_", of.seed)
                                           : of.name)),
        is_training_(of.is_training()),
        definition_(std::move(definition)) {}

  const std::filesystem::path& path() const { return path_; }
  std::string file(const char* name) const { return (path_ / name).string(); }

  /// Makes the folder. Throws `effnet::file_error`, also where something else was run there.
  void open() const {
    std::error_code failure;
    std::filesystem::create_directories(path_, failure);
    if (failure)
      throw effnet::file_error(effnet::sentence("cannot make the folder ",
                                                effnet::path_in_quotes(path_.string()), ": ",
                                                failure.message()));
    if (std::filesystem::exists(path_ / "trial.json"))
      check(read());
    else
      write({{"definition", definition_}});
  }

  /// Nothing where it has not come to its end. Throws `effnet::file_error`.
  std::optional<outcome> result() const {
    if (!std::filesystem::exists(path_ / "trial.json")) return std::nullopt;
    const nlohmann::ordered_json json = read();
    check(json);
    if (!json.contains("outcome")) return std::nullopt;
    try {
      const auto& done = json.at("outcome");
      outcome made{.seconds = done.at("seconds").get<double>(),
                   .top1 = done.value("top1", 0.0),
                   .rows = {},
                   .machine = done.at("machine").get<std::string>()};
      if (is_training_) made.rows = read_training_log(path_ / "log.jsonl", INT64_MAX);
      if (!std::isfinite(made.seconds) || made.seconds < 0 || !(made.top1 >= 0 && made.top1 <= 100))
        throw broken("has an outcome that is out of range");
      return made;
    } catch (const nlohmann::json::exception&) {
      throw broken("lacks a part of its outcome");
    }
  }

  void finish(const outcome& made) const {
    nlohmann::ordered_json done = {{"seconds", made.seconds}};
    if (is_training_) done["top1"] = made.top1;
    done["machine"] = made.machine;
    write({{"definition", definition_}, {"outcome", std::move(done)}});
  }

 private:
  effnet::file_error broken(const char* how) const {
    return effnet::file_error(effnet::sentence(effnet::path_in_quotes(file("trial.json")), " ", how,
                                               "; remove its folder to run that trial again"));
  }
  nlohmann::ordered_json read() const {
    std::ifstream from(file("trial.json"), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(from), {}};
    nlohmann::ordered_json json = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("definition")) throw broken("is no record of a trial");
    return json;
  }
  void check(const nlohmann::ordered_json& json) const {
    for (const auto& [key, value] : definition_.items())
      if (!json["definition"].is_object() || !json["definition"].contains(key) ||
          json["definition"][key] != value)
        throw effnet::file_error(effnet::sentence(
            effnet::path_in_quotes(path_.string()), " holds a trial of another ", key,
            ": choose another --out, or remove that folder to run the trial again"));
  }
  void write(const nlohmann::ordered_json& json) const {
    effnet::atomic_file to(file("trial.json"));
    to.write(json.dump(1) + "\n");
    to.commit();
  }

  std::filesystem::path path_;
  bool is_training_;
  nlohmann::ordered_json definition_;
};

}  // namespace example
