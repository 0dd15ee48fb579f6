#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <effnet/data/open_data_set.hpp>

#include "experiments/scale.hpp"
#include "program.hpp"

namespace example {

/// What a set of experiments is run on, and where it is kept.
struct set_options {
  std::string data, val, other_data, other_val, out = "experiments_out", scale = "mini",
                                                backend = "cpu";
};

inline void add_set_options(CLI::App& app, set_options& chosen) {
  app.add_option("--data", chosen.data, "What to train on, in the forms that 'train' takes")
      ->type_name("DATA");
  app.add_option("--val", chosen.val,
                 "What to validate on (default: val.tar or val beside a --data of train.tar or "
                 "train; else a tenth of --data)")
      ->type_name("DATA");
  app.add_option("--other-data", chosen.other_data,
                 "Another set, for the experiment on fine-tuning")
      ->type_name("DATA");
  app.add_option("--other-val", chosen.other_val, "What to validate that one on")
      ->type_name("DATA");
  app.add_option("--out", chosen.out, "Folder of the set (default experiments_out)")
      ->type_name("DIR");
  add_choice(app, "--scale", chosen.scale, {"smoke", "mini", "full"},
             "Published sizes, small ones (default), or a look at whether all runs");
  add_choice(app, "--backend", chosen.backend, {"cpu", "cuda"}, "What trains (default: cpu)");
}

inline scale scale_of(const set_options& chosen) {
  const auto* const at = std::ranges::find(scale_names, chosen.scale);
  return {static_cast<scale_name>(at - std::begin(scale_names))};
}

/// The validation set that lies beside a training set; empty where none does.
inline std::string val_beside(const std::string& data) {
  std::filesystem::path path = data;
  if (!path.has_filename()) path = path.parent_path();
  if (path.stem() != "train") return "";
  path.replace_filename("val" + path.extension().string());
  return std::filesystem::exists(path) ? path.string() : "";
}

/// With the validation sets that were not given.
inline set_options with_val_sets(set_options chosen) {
  if (chosen.val.empty()) chosen.val = val_beside(chosen.data);
  if (chosen.other_val.empty()) chosen.other_val = val_beside(chosen.other_data);
  return chosen;
}

}  // namespace example
