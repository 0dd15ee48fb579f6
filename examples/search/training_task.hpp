#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/io/spec_table.hpp>

#include "search/entry_reader.hpp"

namespace example {

/// How all networks of a study are trained for a short time; a tenth of the data is held out, on
/// which they are judged.
struct short_training {
  std::string data;
  int epochs = 4, batch = 32;
  double rate = 0.024;  ///< for a batch of 256
  double cache = 4;     ///< GB of decoded pictures, of all workers together
  int threads = 1;

  friend bool operator==(const short_training&, const short_training&) = default;
};

/// A network to be trained, on pictures of its `eval_size`.
struct training_task {
  std::size_t number = 0;
  effnet::network_spec spec;
  std::uint64_t seed = 0;
  std::vector<double> bars;  ///< accuracy to be reached after each epoch, or it ends
};

struct training_outcome {
  std::size_t number = 0;
  std::vector<double> curve = {};  ///< accuracy after each epoch, 0 to 1
  bool stopped = false;
  double seconds = 0;
  std::string problem = {};  ///< why there is none of it, in a sentence

  /// The best of all epochs, where early stopping would leave the network.
  double accuracy() const {
    double best = 0;
    for (const double one : curve) best = one > best ? one : best;
    return best;
  }
};

// How they go from process to process, a line each.

inline nlohmann::ordered_json json_of(const short_training& how) {
  return {{"data", how.data}, {"epochs", how.epochs}, {"batch", how.batch},
          {"rate", how.rate}, {"cache", how.cache},   {"threads", how.threads}};
}
/// Throws `effnet::file_error` for what is none.
inline short_training short_training_from(const entry_reader& from) {
  return {.data = from.text("data"),
          .epochs = from.integer("epochs", 1, 10'000),
          .batch = from.integer("batch", 2, 4096),
          .rate = from.number("rate", 1e-9, 1e6),
          .cache = from.number("cache", 0, 1e6),
          .threads = from.integer("threads", 1, 1024)};
}

inline nlohmann::ordered_json json_of(const training_task& task) {
  return {{"number", task.number},
          {"network", nlohmann::ordered_json::parse(effnet::spec_to_json(task.spec))},
          {"seed", task.seed},
          {"bars", task.bars}};
}
inline training_task training_task_from(const nlohmann::ordered_json& from) {
  return {.number = from.at("number").get<std::size_t>(),
          .spec = effnet::spec_from_json(from.at("network").dump()),
          .seed = from.at("seed").get<std::uint64_t>(),
          .bars = from.at("bars").get<std::vector<double>>()};
}

inline nlohmann::ordered_json json_of(const training_outcome& outcome) {
  return {{"number", outcome.number},
          {"curve", outcome.curve},
          {"stopped", outcome.stopped},
          {"seconds", outcome.seconds},
          {"problem", outcome.problem}};
}
inline training_outcome training_outcome_from(const nlohmann::ordered_json& from) {
  return {.number = from.at("number").get<std::size_t>(),
          .curve = from.at("curve").get<std::vector<double>>(),
          .stopped = from.at("stopped").get<bool>(),
          .seconds = from.at("seconds").get<double>(),
          .problem = from.at("problem").get<std::string>()};
}

}  // namespace example
