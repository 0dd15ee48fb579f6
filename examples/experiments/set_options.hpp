#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <effnet/core/error.hpp>
#include <effnet/io/atomic_file.hpp>
#include <effnet/io/in_quotes.hpp>

#include "experiments/scale.hpp"
#include "program.hpp"

namespace example {

/// What a set of experiments is run on, and where it is kept. Empty: not given.
struct set_options {
  std::string data, val, other_data, other_val, scale, backend;
  std::string out = "experiments_out";
  std::optional<int> seeds;
};

inline void add_set_options(CLI::App& app, set_options& chosen) {
  const auto text = [&](const char* name, std::string& to, const char* type, const char* help) {
    app.add_option(name, to, help)->type_name(type);
  };
  text("--data", chosen.data, "DATA", "What to train on, in the forms that 'train' takes");
  text("--val", chosen.val, "DATA",
       "What to validate on (default: val.tar or val beside a --data of train.tar or train; else a "
       "tenth of --data)");
  text("--other-data", chosen.other_data, "DATA", "Another set, for fine-tuning");
  text("--other-val", chosen.other_val, "DATA", "What to validate that one on");
  text("--out", chosen.out, "DIR",
       "Folder of the set (default experiments_out); what was given for it before need not be "
       "given again");
  add_choice(app, "--scale", chosen.scale, {"smoke", "mini", "full"},
             "A look at whether all runs, small sizes (default), or the published ones");
  app.add_option("--seeds", chosen.seeds,
                 "Trainings of each kind (default: 3 of some, 1 of the others); more can be added "
                 "later")
      ->check(between(1, 1000))
      ->type_name("N");
  add_choice(app, "--backend", chosen.backend, {"cpu", "cuda"}, "What trains (default: cpu)");
}

inline scale scale_of(const set_options& chosen) {
  const auto* const at = std::ranges::find(scale_names, chosen.scale);
  return {static_cast<scale_name>(at - std::begin(scale_names))};
}

namespace detail {

/// The validation set that lies beside a training set; empty where none does.
inline std::string val_beside(const std::string& data) {
  std::filesystem::path path = data;
  if (!path.has_filename()) path = path.parent_path();
  if (path.stem() != "train") return "";
  path.replace_filename("val" + path.extension().string());
  return std::filesystem::exists(path) ? path.string() : "";
}

/// The options by the names that they have in set.json.
template <class Options>
auto named_options(Options& of) {
  return std::array{std::pair{"data", &of.data},
                    std::pair{"val", &of.val},
                    std::pair{"other_data", &of.other_data},
                    std::pair{"other_val", &of.other_val},
                    std::pair{"scale", &of.scale},
                    std::pair{"backend", &of.backend}};
}

}  // namespace detail

/// With what was not given: as it was before in that folder, else the defaults. Throws
/// `effnet::file_error` for a set.json that is none.
inline set_options whole_options(set_options chosen) {
  const std::string path = (std::filesystem::path(chosen.out) / "set.json").string();
  if (std::filesystem::exists(path)) {
    std::ifstream from(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(from), {}};
    const auto before = nlohmann::json::parse(text, nullptr, false);
    const auto broken = [&] {
      return effnet::file_error(effnet::sentence(effnet::path_in_quotes(path),
                                                 " does not say what the set was run on; remove it "
                                                 "and give the options again"));
    };
    if (!before.is_object()) throw broken();
    for (const auto& [name, value] : detail::named_options(chosen)) {
      if (!value->empty() || !before.contains(name)) continue;
      if (!before[name].is_string()) throw broken();
      *value = before[name].template get<std::string>();
    }
    if (!chosen.seeds && before.contains("seeds")) {
      if (!before["seeds"].is_number_integer()) throw broken();
      chosen.seeds = before["seeds"].get<int>();
      if (*chosen.seeds < 1 || *chosen.seeds > 1000) throw broken();
    }
    if (!chosen.backend.empty() && chosen.backend != "cpu" && chosen.backend != "cuda")
      throw broken();
    if (!chosen.scale.empty() &&
        std::ranges::find(scale_names, chosen.scale) == std::end(scale_names))
      throw broken();
  }
  for (std::string* set : {&chosen.data, &chosen.val, &chosen.other_data, &chosen.other_val})
    if (!set->empty() && std::filesystem::exists(*set))
      *set = std::filesystem::absolute(*set).lexically_normal().string();
  if (chosen.scale.empty()) chosen.scale = "mini";
  if (chosen.backend.empty()) chosen.backend = "cpu";
  if (chosen.val.empty()) chosen.val = detail::val_beside(chosen.data);
  if (chosen.other_val.empty()) chosen.other_val = detail::val_beside(chosen.other_data);
  return chosen;
}

/// For the next time. Throws `effnet::file_error`.
inline void remember(const set_options& chosen) {
  nlohmann::ordered_json json;
  for (const auto& [name, value] : detail::named_options(chosen)) json[name] = *value;
  if (chosen.seeds) json["seeds"] = *chosen.seeds;
  effnet::atomic_file to((std::filesystem::path(chosen.out) / "set.json").string());
  to.write(json.dump(1) + "\n");
  to.commit();
}

}  // namespace example
