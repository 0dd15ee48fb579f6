#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include <effnet/arch/network_spec.hpp>
#include <effnet/backend/training_backend.hpp>
#include <effnet/train/decay_set.hpp>
#include <effnet/train/ema.hpp>
#include <effnet/train/learning_rate.hpp>

namespace effnet {

/// How a trainer makes a step, apart from the optimizer and from what the network itself was told.
struct training_options {
  learning_rate rate = {};
  ema average = {};
  bool averaged = true;  ///< whether a moving average is kept
  decay_set decayed = decay_set::kernels;
  /// Largest norm of a tensor's gradient and of all together, before weight decay; 0: any.
  double clip = 0;
  /// A batch is run in so many parts, one after the other, and their gradients are averaged: the
  /// memory of one part. Batch norm sees the parts.
  int accumulation = 1;
  loss_kind loss = loss_kind::softmax;
  float label_smoothing = 0.1f;
  std::vector<float> class_weights = {};  ///< one a class; empty: all 1
  /// The learning rate is multiplied by this once for every block between a layer and the
  /// classifier; 1: the same rate for all.
  double layer_decay = 1;
  std::uint64_t seed = 0;  ///< of dropout and stochastic depth

  friend bool operator==(const training_options&, const training_options&) = default;
};

/// Throws `setting_error` where an option makes no sense for the network.
inline void check(const training_options& options, const network_spec& spec) {
  options.rate.check();
  if (options.averaged) options.average.check();
  if (!(options.clip >= 0 && std::isfinite(options.clip)))
    throw setting_error(sentence("gradients cannot be clipped to a norm of ", options.clip,
                                 "; it has to be finite and above 0, or 0 for no clipping"));
  if (options.accumulation < 1)
    throw setting_error(
        sentence("a batch cannot be run in ", options.accumulation, " parts; it takes at least 1"));
  if (!(options.label_smoothing >= 0 && options.label_smoothing < 1))
    throw setting_error(sentence("labels cannot be smoothed by ", options.label_smoothing,
                                 "; it has to lie in [0, 1)"));
  if (!(options.layer_decay > 0 && options.layer_decay <= 1))
    throw setting_error(sentence("the learning rate cannot fall by a factor of ",
                                 options.layer_decay, " a block; it has to lie in (0, 1]"));
  if (!options.class_weights.empty() &&
      options.class_weights.size() != static_cast<std::size_t>(spec.classes))
    throw setting_error(sentence("there are ", options.class_weights.size(),
                                 " class weights, expected one for each of ", spec.classes,
                                 " classes"));
  for (float weight : options.class_weights)
    if (!(weight >= 0 && std::isfinite(weight)))
      throw setting_error(sentence("a class cannot weigh ", weight,
                                   "; class weights have to be finite and at least 0"));
}

}  // namespace effnet
