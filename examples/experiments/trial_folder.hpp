#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <effnet/core/error.hpp>
#include <effnet/io/atomic_file.hpp>
#include <effnet/io/in_quotes.hpp>

#include "experiments/outcome.hpp"
#include "experiments/trial.hpp"
#include "make_folder.hpp"
#include "search/entry_reader.hpp"

namespace example {

/// The folder of a trial: its definition and, when it is done, its outcome in trial.json; of a
/// training all that `train` writes.
class trial_folder {
 public:
  trial_folder(const std::filesystem::path& experiment, const trial& of,
               nlohmann::ordered_json definition)
      : path_(experiment / folder_name(effnet::sentence(
                               of.name, of.is_training() ? "_seed_" : "_round_", of.seed))),
        is_training_(of.is_training()),
        definition_(std::move(definition)) {}

  const std::filesystem::path& path() const { return path_; }
  std::string file(const char* name) const { return (path_ / name).string(); }

  /// Makes the folder. Throws `effnet::file_error`, also where something else was run there.
  void open() const {
    make_folder(path_);
    if (std::filesystem::exists(path_ / "trial.json") && has_begun())
      check(read());
    else
      write({{"definition", definition_}});
  }

  /// Nothing where it has not come to its end. Throws `effnet::file_error`.
  std::optional<outcome> result() const {
    if (!std::filesystem::exists(path_ / "trial.json")) return std::nullopt;
    const nlohmann::ordered_json json = read();
    if (!json.contains("outcome")) return std::nullopt;
    check(json);
    const entry_reader done = entry_reader(json, place()).object("outcome");
    outcome made{.seconds = done.number("seconds", 1e-9, 1e9),
                 .top1 = is_training_ ? done.number("top1", 0, 100) : 0,
                 .rows = {},
                 .machine = done.text("machine")};
    if (is_training_) made.rows = read_training_log(path_ / "log.jsonl", INT64_MAX);
    return made;
  }

  void finish(const outcome& made) const {
    nlohmann::ordered_json done = {{"seconds", made.seconds}};
    if (is_training_) done["top1"] = made.top1;
    done["machine"] = made.machine;
    write({{"definition", definition_}, {"outcome", std::move(done)}});
  }

 private:
  bool has_begun() const {
    return read().contains("outcome") || std::filesystem::exists(path_ / "recipe.json");
  }
  std::string place() const { return effnet::path_in_quotes(file("trial.json")); }

  nlohmann::ordered_json read() const {
    constexpr std::uintmax_t most_bytes = 1 << 20;
    std::error_code failure;
    const std::uintmax_t bytes = std::filesystem::file_size(path_ / "trial.json", failure);
    nlohmann::ordered_json json;
    if (!failure && bytes <= most_bytes) {
      std::ifstream from(file("trial.json"), std::ios::binary);
      std::string text(static_cast<std::size_t>(bytes), ' ');
      from.read(text.data(), static_cast<std::streamsize>(text.size()));
      json = nlohmann::ordered_json::parse(text, nullptr, false);
    }
    if (!json.is_object() || !json.contains("definition") || !json["definition"].is_object())
      throw effnet::file_error(effnet::sentence(
          place(), " is no record of a trial; remove its folder to run the trial again"));
    return json;
  }
  void check(const nlohmann::ordered_json& json) const {
    const nlohmann::ordered_json& there = json["definition"];
    if (there == definition_) return;
    for (const auto& [key, value] : definition_.items()) {
      if (there.contains(key) && there[key] == value) continue;
      const auto text = [](const nlohmann::ordered_json& of) {
        return of.is_structured()
                   ? std::string("another")
                   : of.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
      };
      throw effnet::file_error(effnet::sentence(
          effnet::path_in_quotes(path_.string()), " holds a trial of another ", key, " (",
          there.contains(key) ? text(there[key]) : "none", ", not ", text(value),
          "): choose another --out, or the options that it was run with"));
    }
    throw effnet::file_error(
        effnet::sentence(place(), " says more than this version knows; choose another --out"));
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
