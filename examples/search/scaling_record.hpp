#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <effnet/search.hpp>

#include "search/journal.hpp"
#include "search/training_task.hpp"

namespace example {

/// A network scaled by `constants` to `phi`, as it is trained.
struct scaling_point {
  effnet::compound_constants constants;
  int phi = 1;

  friend bool operator==(const scaling_point& a, const scaling_point& b) {
    return a.constants.alpha == b.constants.alpha && a.constants.beta == b.constants.beta &&
           a.constants.gamma == b.constants.gamma && a.phi == b.phi;
  }
};

/// A grid search for compound constants, as its journal tells it.
struct scaling_record {
  struct training {
    scaling_point of;
    std::uint64_t seed = 0;
    double accuracy = 0, seconds = 0;
  };

  effnet::network_spec base;  ///< its `eval_size` is that of phi 0
  double step = 0.2;          ///< of the grid
  int seeds = 1;
  int trained_phi = 2;  ///< up to which single dimensions are compared with the constants found
  short_training how;
  std::vector<training> done = {};

  effnet::network_spec network(const scaling_point& at) const {
    effnet::scaling by = effnet::compound_scaling(at.constants, at.phi, base.eval_size);
    by.dropout = base.dropout;
    return effnet::compound_scaled(base, by);
  }
  /// Accuracies over seeds; empty where there is none.
  std::vector<double> accuracies(const scaling_point& at) const {
    std::vector<double> found;
    for (const training& one : done)
      if (one.of == at) found.push_back(one.accuracy);
    return found;
  }
  bool has(const scaling_point& at, std::uint64_t seed) const {
    for (const training& one : done)
      if (one.of == at && one.seed == seed) return true;
    return false;
  }
  std::vector<effnet::compound_constants> grid() const { return effnet::scaling_grid(step); }
  /// The constants of the grid whose network is most accurate on average; depth alone where none
  /// was trained.
  effnet::compound_constants best() const {
    effnet::compound_constants found = grid().front();
    double most = -1;
    for (const effnet::compound_constants& constants : grid()) {
      const std::vector<double> of = accuracies({constants, 1});
      const double mean = effnet::mean_and_error(of).mean;
      if (!of.empty() && mean > most) found = constants, most = mean;
    }
    return found;
  }
};

inline nlohmann::ordered_json json_of(const scaling_record& r) {
  return {{"journal", 1},
          {"kind", "scale"},
          {"base", nlohmann::ordered_json::parse(effnet::spec_to_json(r.base))},
          {"step", r.step},
          {"seeds", r.seeds},
          {"trained_phi", r.trained_phi},
          {"training", json_of(r.how)}};
}
inline nlohmann::ordered_json json_of(const scaling_record::training& one) {
  return {{"entry", "training"},
          {"alpha", one.of.constants.alpha},
          {"beta", one.of.constants.beta},
          {"gamma", one.of.constants.gamma},
          {"phi", one.of.phi},
          {"seed", one.seed},
          {"accuracy", one.accuracy},
          {"seconds", one.seconds}};
}

/// Throws `effnet::file_error` for what is none of a grid search.
inline scaling_record scaling_record_of(const nlohmann::ordered_json& header,
                                        const std::vector<nlohmann::ordered_json>& entries,
                                        const std::string& name) {
  if (value_of<std::string>(header, "kind", name) != "scale")
    throw effnet::file_error(effnet::sentence(
        effnet::path_in_quotes(name), " is the journal of something else than 'search scale'"));
  scaling_record record{.base = effnet::spec_from_json(
                            value_of<nlohmann::ordered_json>(header, "base", name).dump(), name),
                        .step = value_of<double>(header, "step", name),
                        .seeds = whole_number(header, "seeds", 1, 1000, name),
                        .trained_phi = whole_number(header, "trained_phi", 1, 5, name),
                        .how = short_training_from(header, name)};
  effnet::scaling_grid(record.step);  // throws
  for (const nlohmann::ordered_json& entry : entries)
    record.done.push_back(
        {.of = {{value_of<double>(entry, "alpha", name), value_of<double>(entry, "beta", name),
                 value_of<double>(entry, "gamma", name)},
                whole_number(entry, "phi", 0, 5, name)},
         .seed = value_of<std::uint64_t>(entry, "seed", name),
         .accuracy = value_of<double>(entry, "accuracy", name),
         .seconds = value_of<double>(entry, "seconds", name)});
  return record;
}

}  // namespace example
