#pragma once

#include <string>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/train/recipe.hpp>

#include "experiments/scale.hpp"
#include "experiments/tables/small_training.hpp"
#include "experiments/trial.hpp"

namespace example {

/// A network that is evaluated at `size`. It is trained there too, but at full scale at four fifths
/// of it, as the released code does.
inline effnet::network_spec network_at(const scale& at, const effnet::network_spec& published,
                                       const narrowing& by, int size) {
  effnet::network_spec made = at.network(published, by, size);
  made.eval_size = size;
  made.train_size = at.is_full() ? effnet::v1_train_size(size) : size;
  return made;
}

/// Regularization at the end of a full-scale training in stages; dropout and stochastic depth are
/// the network's.
struct strongest {
  const char *rand_augment = "15", *mixup = "0";  ///< as in table 6 for V2-S
};

/// A training in four stages (`mode` "progressive") or at the last one's size and regularization
/// throughout ("fixed"), by the same recipe for every network.
///
/// The published presets have no stages for other networks than V2's. So at full scale this is the
/// preset for small sets with all that differs from the published recipe spelled out. What the
/// options cannot say: the learning rate falls as a cosine (the published staircase would be
/// stretched with the epochs), and RandAugment starts from 0 instead of 5.
inline training staged_training(const scale& at, const effnet::network_spec& network,
                                const by_scale<int>& epochs, const char* mode,
                                const strongest& end = {}) {
  if (!at.is_full())
    return small_training(at, network, network.train_size, epochs,
                          {"--mode", mode, "--stages", "4"});
  training made{.network = network, .size = network.train_size, .epochs = at.pick(epochs)};
  // A batch norm momentum of 0 is the convention's.
  made.options = {
      "--preset",       "scratch",  "--mode",      mode,      "--stages",       "4",
      "--batch",        "auto",     "--optimizer", "rmsprop", "--momentum",     "0.9",
      "--weight-decay", "1e-5",     "--lr",        "0.016",   "--decay",        "cosine",
      "--warmup",       "5",        "--ema",       "0.9999",  "--bn-momentum",  "0",
      "--augment-rule", "released", "--crop",      "v2",      "--rand-augment", end.rand_augment,
      "--mixup",        end.mixup};
  const auto add = [&](const char* name, double value) {
    made.options.insert(made.options.end(), {name, effnet::sentence(value)});
  };
  add("--dropout", network.dropout);
  add("--survival", network.survival);
  add("--evaluate-every", made.epochs / 10.0);
  return made;
}

}  // namespace example
