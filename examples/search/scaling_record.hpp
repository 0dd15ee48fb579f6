#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <effnet/search.hpp>

#include "search/journal.hpp"
#include "search/training_task.hpp"

namespace example {

/// A grid search for compound constants, as its journal tells it. Networks are told by the number
/// of their constants in the grid, and phi.
struct scaling_record {
  struct point {
    std::size_t constants = 0;
    int phi = 0;  ///< 0: the base, whatever the constants

    friend auto operator<=>(const point&, const point&) = default;
  };
  struct training {
    double accuracy = 0, seconds = 0;
  };

  effnet::network_spec base;  ///< its `eval_size` is that of phi 0
  double step = 0.2;          ///< of the grid
  int seeds = 1;
  int trained_phi = 2;  ///< up to which single dimensions are compared with the constants found
  short_training how;
  std::map<point, std::map<std::uint64_t, training>> done = {};  ///< by network and seed

  std::vector<effnet::compound_constants> grid() const { return effnet::scaling_grid(step); }

  effnet::network_spec network(const point& at) const {
    effnet::scaling by = effnet::compound_scaling(grid().at(at.constants), at.phi, base.eval_size);
    by.dropout = base.dropout;
    return effnet::compound_scaled(base, by);
  }
  /// Over seeds; nothing, of mean 0, where there is none.
  effnet::mean_and_error accuracy(const point& at) const {
    std::vector<double> found;
    if (const auto of = done.find(at); of != done.end())
      for (const auto& [seed, one] : of->second) found.push_back(one.accuracy);
    return effnet::mean_and_error(found);
  }
  std::size_t trainings(const point& at) const {
    const auto of = done.find(at);
    return of == done.end() ? 0 : of->second.size();
  }
  /// The number of the constants whose network is most accurate on average, the first of equals.
  std::size_t best() const {
    std::size_t found = 0;
    for (std::size_t i = 0; i < grid().size(); ++i)
      if (accuracy({i, 1}).mean > accuracy({found, 1}).mean) found = i;
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
inline nlohmann::ordered_json json_of(const scaling_record& record, const scaling_record::point& at,
                                      std::uint64_t seed, const scaling_record::training& one) {
  const effnet::compound_constants by =
      at.phi == 0 ? effnet::compound_constants{1, 1, 1} : record.grid().at(at.constants);
  return {{"entry", "training"},      {"alpha", by.alpha},     {"beta", by.beta},
          {"gamma", by.gamma},        {"phi", at.phi},         {"seed", seed},
          {"accuracy", one.accuracy}, {"seconds", one.seconds}};
}

/// Throws `effnet::file_error` for a journal that is none of a grid search.
inline scaling_record scaling_record_of(const journal_text& text) {
  const entry_reader header = text.header();
  if (header.text("kind") != "scale")
    throw effnet::file_error(header.where() + " is of something else than 'search scale'");
  scaling_record record{.base = header.network("base"),
                        .step = header.number("step", 0.01, 1),
                        .seeds = header.integer("seeds", 1, 1000),
                        .trained_phi = header.integer("trained_phi", 1, 5),
                        .how = short_training_from(header.object("training"))};
  const std::vector<effnet::compound_constants> grid = record.grid();
  constexpr std::string_view kinds[] = {"training"};
  for (const entry_reader& entry : text.entries()) {
    entry.one_of("entry", kinds);
    const effnet::compound_constants by{entry.number("alpha", 1, 2), entry.number("beta", 1, 2),
                                        entry.number("gamma", 1, 2)};
    const int phi = entry.integer("phi", 0, record.trained_phi);
    const auto at = std::find_if(grid.begin(), grid.end(), [&](const auto& other) {
      return std::abs(other.alpha - by.alpha) + std::abs(other.beta - by.beta) +
                 std::abs(other.gamma - by.gamma) <
             1e-9;
    });
    if (at == grid.end() && phi > 0)
      throw effnet::file_error(effnet::sentence(entry.where(), ": alpha ", by.alpha, ", beta ",
                                                by.beta, ", gamma ", by.gamma,
                                                " are none of a grid of step ", record.step));
    const auto constants = phi == 0 ? 0 : static_cast<std::size_t>(at - grid.begin());
    record.done[{constants, phi}][entry.whole("seed", 0, 1000)] = {
        .accuracy = entry.number("accuracy", 0, 1), .seconds = entry.number("seconds", 0, 1e9)};
  }
  return record;
}

}  // namespace example
