#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <effnet/train/layer_depth.hpp>
#include <effnet/train/optimizer.hpp>
#include <effnet/train/tensor_chunks.hpp>
#include <effnet/train/trainable.hpp>
#include <effnet/train/training_error.hpp>
#include <effnet/train/training_options.hpp>

namespace effnet {

/// What a training step is made of.
struct step_batch {
  const_tensor_view images;        ///< [n, h, w, c], normalised, in the backend's memory
  const float* targets = nullptr;  ///< [n, classes]; rows sum to 1 for `loss_kind::softmax`
  float dropout = 0;               ///< probability of dropping a feature
  float stochastic_depth = 0;      ///< probability of dropping the last block
  float learning_rate_factor = 1;  ///< times the schedule's rate
};

struct step_report {
  std::int64_t step = 0;  ///< which step it was, from 0
  double loss = 0;        ///< mean over the images, before the step
  double learning_rate = 0;
  double gradient_norm = 0;  ///< of all gradients together, before clipping
};

namespace detail {

/// In double, in eight sums side by side: the order is the same whatever the instruction set.
inline double sum_of_squares(std::span<const float> values) {
  constexpr std::size_t lanes = 8;
  std::array<double, lanes> sums{};
  const std::size_t whole = values.size() / lanes * lanes;
  for (std::size_t i = 0; i < whole; i += lanes)
    for (std::size_t k = 0; k < lanes; ++k) {
      const double value = static_cast<double>(values[i + k]);
      sums[k] += value * value;
    }
  double sum = 0;
  for (std::size_t i = whole; i < values.size(); ++i)
    sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  for (double lane : sums) sum += lane;
  return sum;
}

}  // namespace detail

/// Trains a network step by step: gradients, clipping, optimizer, moving average. It owns all that
/// changes on the way (values, optimizer state, averages, the number of steps done) and decides
/// nothing: what a step sees is the caller's choice. The same steps give the same bits.
template <trainable Network, optimizer Rule>
class trainer {
 public:
  using network_type = Network;
  using rule_type = Rule;

  /// Throws `setting_error` where options or optimizer make no sense.
  trainer(Network network, Rule rule, training_options options)
      : network_(std::move(network)), rule_(std::move(rule)), options_(std::move(options)) {
    rule_.check();
    check(options_, network_.spec());
    std::size_t state = 0, moving = 0;
    for (std::size_t i = 0; i < network_.tensors().size(); ++i) {
      const std::size_t length = network_.values(i).size();
      const bool trained = network_.trained(i);
      const int depth = depth_from_classifier(network_.spec(), network_.tensors()[i].of);
      entries_.push_back({.length = length,
                          .state_at = state,
                          .average_at = all_.elements(),
                          .rate_factor = std::pow(options_.layer_decay, depth),
                          .trained = trained,
                          .is_statistic = !is_trained(network_.tensors()[i]),
                          .decays = decays(options_.decayed, network_.tensors()[i])});
      all_.add(i, length);
      if (trained) {
        gradients_.add(i, length);
        state += length;
      } else if (entries_.back().is_statistic) {
        moving += length;
      }
    }
    for (std::size_t s = 0; s < Rule::slot_count; ++s)
      slots_[s].assign(state, static_cast<float>(Rule::initial_slots[s]));
    if (options_.accumulation > 1) sums_.resize(state);
    statistics_.resize(moving);
    squares_.resize(gradients_.count());
    scales_.resize(entries_.size());
    if (options_.averaged) {
      averages_.resize(all_.elements());
      for (std::size_t i = 0; i < entries_.size(); ++i)
        std::ranges::copy(network_.values(i), average(i).begin());
    }
  }

  /// The same, of a network that is made here.
  template <training_backend B>
  trainer(const weights& from, Rule rule, training_options options, B on,
          const training_settings& settings = {})
      : trainer(Network(from, std::move(on), settings), std::move(rule), std::move(options)) {}

  /// One step. Throws `training_error` where the loss or a gradient is not finite, `shape_error`
  /// for images that do not fit; nothing has changed then.
  step_report step(const step_batch& batch) {
    [[maybe_unused]] const auto scope = network_.device().enter();
    keep_statistics();
    step_report report{.step = steps_done_,
                       .learning_rate = options_.rate.at(steps_done_) *
                                        static_cast<double>(batch.learning_rate_factor)};
    try {
      report.loss = run(batch);
      report.gradient_norm = sum_squares();
      if (!std::isfinite(report.gradient_norm)) refuse("a gradient is", report.gradient_norm);
    } catch (...) {
      restore_statistics();
      throw;
    }
    choose_scales(report.gradient_norm);
    update(report.learning_rate);
    network_.values_changed();
    ++steps_done_;
    return report;
  }

  std::int64_t steps_done() const { return steps_done_; }
  const Network& network() const { return network_; }
  const Rule& rule() const { return rule_; }
  const training_options& options() const { return options_; }

  /// The network as it is now.
  weights current() const {
    weights copy = network_.snapshot();
    copy.labels = network_.labels();
    return copy;
  }
  /// The moving average, which is what evaluation should see; as `current` where none is kept.
  weights averaged() const {
    if (!options_.averaged) return current();
    weights copy = filled_weights(
        network_.spec(), network_.rule(), [&](std::uint64_t index, const tensor_spec&, float* to) {
          const entry& e = entries_[static_cast<std::size_t>(index)];
          std::copy_n(averages_.begin() + static_cast<std::ptrdiff_t>(e.average_at), e.length, to);
        });
    copy.labels = network_.labels();
    return copy;
  }

  /// Memory of the network in a step on such a batch, in parts where gradients are accumulated.
  memory_plan plan(shape4 batch) {
    batch.n = part_size(batch.n, 0);
    return network_.plan(batch);
  }
  /// Memory beside the network's.
  std::size_t state_bytes() const {
    return sizeof(float) * (slots_.size() * gradients_.elements() + averages_.size() +
                            sums_.size() + statistics_.size());
  }

  /// What a checkpoint keeps of tensor `i` beside its values. Empty where there is none.
  std::span<float> average(std::size_t i) {
    if (averages_.empty()) return {};
    return std::span(averages_).subspan(entries_[i].average_at, entries_[i].length);
  }
  optimizer_slots<Rule::slot_count> slots(std::size_t i) {
    optimizer_slots<Rule::slot_count> found;
    if (!entries_[i].trained) return found;
    for (std::size_t s = 0; s < found.size(); ++s)
      found[s] = std::span(slots_[s]).subspan(entries_[i].state_at, entries_[i].length);
    return found;
  }
  std::span<float> values(std::size_t i) { return network_.values(i); }
  /// After values, averages and slots were replaced by those of another moment.
  void continue_at(std::int64_t steps_done) {
    steps_done_ = steps_done;
    network_.values_changed();
  }

 private:
  struct entry {
    std::size_t length = 0;
    std::size_t state_at = 0, average_at = 0;
    double rate_factor = 1;
    bool trained = false, is_statistic = false, decays = false;
  };
  using chunk = tensor_chunks::chunk;

  [[noreturn]] void refuse(std::string_view what, double value) const {
    const std::string layer = network_.first_non_finite();
    throw training_error(sentence("step ", steps_done_, ": ", what, " ", value, "; ",
                                  layer.empty()
                                      ? std::string("all layers before the loss are finite")
                                      : sentence("the first layer with such numbers is ", layer),
                                  "; lower the learning rate, lengthen the warm-up or clip "
                                  "gradients, and look for odd values in data and weights"));
  }

  /// Images of part `part` of a batch of `images`.
  int part_size(int images, int part) const {
    return images / options_.accumulation + (part < images % options_.accumulation ? 1 : 0);
  }

  /// Loss and gradients of the batch.
  double run(const step_batch& batch) {
    const shape4 whole = batch.images.shape;
    if (whole.n < options_.accumulation)
      throw shape_error(sentence("a batch of ", whole.n, " images cannot be run in ",
                                 options_.accumulation, " parts"));
    const std::size_t pixels = shape4{1, whole.h, whole.w, whole.c}.elements();
    const auto classes = static_cast<std::size_t>(network_.spec().classes);
    double loss = 0;
    int first = 0;
    for (int part = 0; part < options_.accumulation; ++part) {
      const auto before = static_cast<std::size_t>(first);
      shape4 shape = whole;
      shape.n = part_size(whole.n, part);
      const double share = static_cast<double>(shape.n) / whole.n;
      const double found = network_.forward_backward(
          {.images = {batch.images.data + before * pixels, shape},
           .targets = batch.targets + before * classes,
           .loss = options_.loss,
           .smoothing = options_.label_smoothing,
           .class_weights =
               options_.class_weights.empty() ? nullptr : options_.class_weights.data(),
           .dropout = batch.dropout,
           .stochastic_depth = batch.stochastic_depth,
           .seed = options_.seed,
           .step = static_cast<std::uint64_t>(steps_done_),
           .first_image = first});
      if (!std::isfinite(found)) refuse("the loss is", found);
      loss += found * share;
      if (options_.accumulation > 1)
        gather(static_cast<float>(share), part == 0, part + 1 == options_.accumulation);
      first += shape.n;
    }
    return loss;
  }

  /// Adds the network's gradients to the sums, and puts these in their place at the end.
  void gather(float share, bool first, bool last) {
    gradients_.for_each(network_.device(), [&](std::size_t, const chunk& c) {
      float* gradient = network_.gradient(c.tensor).data() + c.first;
      float* sum = sums_.data() + entries_[c.tensor].state_at + c.first;
      for (std::size_t i = 0; i < c.count; ++i) {
        const float total = (first ? 0 : sum[i]) + share * gradient[i];
        (last ? gradient : sum)[i] = total;
      }
    });
  }

  /// Squares of every chunk; returns the norm of all.
  double sum_squares() {
    gradients_.for_each(network_.device(), [&](std::size_t number, const chunk& c) {
      squares_[number] =
          detail::sum_of_squares(network_.gradient(c.tensor).subspan(c.first, c.count));
    });
    double sum = 0;
    for (double part : squares_) sum += part;
    return std::sqrt(sum);
  }

  /// What each tensor's gradient is multiplied by: see `clip_gradients`.
  void choose_scales(double norm) {
    std::ranges::fill(scales_, 1.0);
    clipped_ = options_.clip > 0 && norm > options_.clip;
    if (!clipped_) return;  // no tensor's norm exceeds that of all
    std::ranges::fill(scales_, 0.0);
    for (std::size_t k = 0; k < gradients_.count(); ++k)
      scales_[gradients_[k].tensor] += squares_[k];
    double together = 0;
    for (double& scale : scales_) {
      const double squares = scale, limit = options_.clip * options_.clip;
      together += std::min(squares, limit);
      scale = squares > limit ? options_.clip / std::sqrt(squares) : 1;
    }
    const double rest = std::sqrt(together);
    if (rest > options_.clip)
      for (double& scale : scales_) scale *= options_.clip / rest;
  }

  /// Optimizer and moving average of one piece after the other, while it is in the cache.
  void update(double rate) {
    all_.for_each(network_.device(), [&](std::size_t, const chunk& c) {
      const entry& e = entries_[c.tensor];
      const std::span<float> values = network_.values(c.tensor).subspan(c.first, c.count);
      if (e.trained) {
        const std::span<float> gradient = network_.gradient(c.tensor).subspan(c.first, c.count);
        if (clipped_)
          for (float& g : gradient)
            g = static_cast<float>(static_cast<double>(g) * scales_[c.tensor]);
        optimizer_slots<Rule::slot_count> slots;
        for (std::size_t s = 0; s < slots.size(); ++s)
          slots[s] = std::span(slots_[s]).subspan(e.state_at + c.first, c.count);
        rule_.step(
            values, gradient, slots,
            {.learning_rate = rate * e.rate_factor, .steps_done = steps_done_, .decays = e.decays});
      }
      if (!averages_.empty())
        options_.average.update(std::span(averages_).subspan(e.average_at + c.first, c.count),
                                values, steps_done_);
    });
  }

  /// The running statistics move before it is known whether the step is one.
  void keep_statistics() {
    float* to = statistics_.data();
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].is_statistic) to = std::ranges::copy(network_.values(i), to).out;
  }
  void restore_statistics() {
    const float* from = statistics_.data();
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!entries_[i].is_statistic) continue;
      std::copy_n(from, entries_[i].length, network_.values(i).begin());
      from += entries_[i].length;
    }
  }

  Network network_;
  Rule rule_;
  training_options options_;
  std::int64_t steps_done_ = 0;
  std::vector<entry> entries_;
  tensor_chunks all_, gradients_;
  std::array<std::vector<float>, Rule::slot_count> slots_;
  std::vector<float> averages_, sums_, statistics_;
  std::vector<double> squares_, scales_;  // of chunks, of tensors
  bool clipped_ = false;
};

template <trainable Network, optimizer Rule>
trainer(Network, Rule, training_options) -> trainer<Network, Rule>;
template <optimizer Rule, training_backend B>
trainer(const weights&, Rule, training_options, B) -> trainer<training_network<B>, Rule>;
template <optimizer Rule, training_backend B>
trainer(const weights&, Rule, training_options, B, const training_settings&)
    -> trainer<training_network<B>, Rule>;

}  // namespace effnet
