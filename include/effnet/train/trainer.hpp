#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <effnet/train/device_array.hpp>
#include <effnet/train/layer_depth.hpp>
#include <effnet/train/optimizer.hpp>
#include <effnet/train/tensor_pieces.hpp>
#include <effnet/train/trainable.hpp>
#include <effnet/train/training_error.hpp>
#include <effnet/train/training_options.hpp>

namespace effnet {

/// What a training step is made of. Images and targets are in the backend's memory.
struct step_batch {
  const_tensor_view images;        ///< [n, h, w, c], normalised
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
    [[maybe_unused]] const auto scope = device().enter();
    measure();
    for (std::size_t s = 0; s < Rule::slot_count; ++s) {
      slots_[s] = floats(trained_elements_);
      slots_[s].fill(device(), static_cast<float>(Rule::initial_slots[s]));
    }
    if (options_.accumulation > 1) sums_ = floats(trained_elements_);
    class_weights_ = {device(), options_.class_weights};
    statistics_ = floats(moving_elements_);
    if (options_.averaged) averages_ = floats(elements_);
    make_pieces();
    if (options_.averaged) device().for_each_piece(pieces_.size(), start_averages{pieces_.data()});
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
    copy(false);
    step_report report{.step = steps_done_,
                       .learning_rate = options_.rate.at(steps_done_) *
                                        static_cast<double>(batch.learning_rate_factor)};
    try {
      report.loss = run(batch);
      report.gradient_norm = sum_squares();
      if (!std::isfinite(report.gradient_norm)) refuse("a gradient is", report.gradient_norm);
    } catch (...) {
      copy(true);
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
          const std::span<const float> from = average(static_cast<std::size_t>(index));
          device().download(from.data(), to, from.size_bytes());
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
    return sizeof(float) * (slots_.size() * trained_elements_ + averages_.size() + sums_.size() +
                            statistics_.size());
  }

  /// What a checkpoint keeps of tensor `i` beside its values, in the backend's memory. Empty where
  /// there is none.
  std::span<float> average(std::size_t i) const {
    if (averages_.empty()) return {};
    return {averages_.data() + entries_[i].average_at, entries_[i].length};
  }
  optimizer_slots<Rule::slot_count> slots(std::size_t i) const {
    optimizer_slots<Rule::slot_count> found;
    if (!entries_[i].trained) return found;
    for (std::size_t s = 0; s < found.size(); ++s)
      found[s] = {slots_[s].data() + entries_[i].state_at, entries_[i].length};
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
    std::size_t state_at = 0, average_at = 0, kept_at = 0;
    bool trained = false, is_statistic = false;
  };
  using device_type = std::remove_cvref_t<decltype(std::declval<const Network&>().device())>;
  using floats = device_array<float, device_type>;

  const device_type& device() const { return network_.device(); }

  /// Where every tensor stands in the trainer's memory.
  void measure() {
    for (std::size_t i = 0; i < network_.tensors().size(); ++i) {
      const entry e{.length = network_.values(i).size(),
                    .state_at = trained_elements_,
                    .average_at = elements_,
                    .kept_at = moving_elements_,
                    .trained = network_.trained(i),
                    .is_statistic = !is_trained(network_.tensors()[i])};
      entries_.push_back(e);
      elements_ += e.length;
      if (e.trained)
        trained_elements_ += e.length;
      else if (e.is_statistic)
        moving_elements_ += e.length;
    }
  }

  void make_pieces() {
    std::vector<tensor_piece> pieces, moving;
    std::vector<float_run> runs;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const entry& e = entries_[i];
      const tensor_spec& t = network_.tensors()[i];
      tensor_piece whole{.count = e.length,
                         .tensor = i,
                         .rate_factor = std::pow(options_.layer_decay,
                                                 depth_from_classifier(network_.spec(), t.of)),
                         .decays = decays(options_.decayed, t),
                         .values = network_.values(i).data(),
                         .gradient = e.trained ? network_.gradient(i).data() : nullptr,
                         .slots = {},
                         .average = averages_.empty() ? nullptr : average(i).data(),
                         .sum = e.trained && !sums_.empty() ? sums_.data() + e.state_at : nullptr,
                         .kept = e.is_statistic ? statistics_.data() + e.kept_at : nullptr};
      if (e.trained)
        for (std::size_t s = 0; s < Rule::slot_count; ++s) whole.slots[s] = slots(i)[s].data();
      const std::size_t first = pieces.size();
      add_pieces(whole, pieces);
      if (e.is_statistic) add_pieces(whole, moving);
      if (!e.trained) continue;
      for (std::size_t k = first; k < pieces.size(); ++k) {
        runs.push_back({pieces[k].gradient, pieces[k].count});
        tensors_of_runs_.push_back(i);
      }
    }
    pieces_ = {device(), std::span<const tensor_piece>(pieces)};
    moving_ = {device(), std::span<const tensor_piece>(moving)};
    runs_ = {device(), std::span<const float_run>(runs)};
    squares_.resize(runs.size());
    squares_there_ = device_array<double, device_type>(runs.size());
    scales_.resize(entries_.size());
    scales_there_ = device_array<double, device_type>(entries_.size());
  }

  [[noreturn]] void refuse(std::string_view what, double value) const {
    const std::string layer = network_.first_non_finite();
    throw training_error(sentence("step ", steps_done_, ": ", what, " ", value, "; ",
                                  layer.empty()
                                      ? std::string("all layers before the loss are finite")
                                      : sentence("the first layer with such numbers is ", layer),
                                  "; lower the learning rate, lengthen the warm-up or clip "
                                  "gradients, and look for odd values in data and weights"));
  }

  /// The running statistics move before it is known whether the step is one.
  void copy(bool back) const {
    device().for_each_piece(moving_.size(), copy_statistics{moving_.data(), back});
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
      const double found =
          network_.forward_backward({.images = {batch.images.data + before * pixels, shape},
                                     .targets = batch.targets + before * classes,
                                     .loss = options_.loss,
                                     .smoothing = options_.label_smoothing,
                                     .class_weights = class_weights_.data(),
                                     .dropout = batch.dropout,
                                     .stochastic_depth = batch.stochastic_depth,
                                     .seed = options_.seed,
                                     .step = static_cast<std::uint64_t>(steps_done_),
                                     .first_image = first});
      if (!std::isfinite(found)) refuse("the loss is", found);
      loss += found * share;
      if (options_.accumulation > 1)
        device().for_each_piece(
            pieces_.size(), gather_gradients{pieces_.data(), static_cast<float>(share), part == 0,
                                             part + 1 == options_.accumulation});
      first += shape.n;
    }
    return loss;
  }

  /// Squares of all pieces; returns the norm of all.
  double sum_squares() {
    device().squares_of_runs(runs_.data(), runs_.size(), squares_there_.data());
    squares_there_.read(device(), squares_);
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
    for (std::size_t k = 0; k < squares_.size(); ++k) scales_[tensors_of_runs_[k]] += squares_[k];
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

  void update(double rate) {
    if (clipped_) scales_there_.write(device(), 0, scales_);
    device().for_each_piece(
        pieces_.size(),
        update_pieces<Rule>{.pieces = pieces_.data(),
                            .rule = rule_,
                            .rate = rate,
                            .steps_done = steps_done_,
                            .scales = clipped_ ? scales_there_.data() : nullptr,
                            .average_moves = options_.average.moves_at(steps_done_)});
  }

  Network network_;
  Rule rule_;
  training_options options_;
  std::int64_t steps_done_ = 0;
  std::vector<entry> entries_;
  std::size_t elements_ = 0, trained_elements_ = 0, moving_elements_ = 0;
  std::array<floats, Rule::slot_count> slots_;
  floats averages_, sums_, statistics_, class_weights_;
  device_array<tensor_piece, device_type> pieces_, moving_;  // of all, of running statistics
  device_array<float_run, device_type> runs_;  // gradients of the pieces that have one
  std::vector<std::size_t> tensors_of_runs_;
  std::vector<double> squares_, scales_;  // of runs, of tensors
  device_array<double, device_type> squares_there_, scales_there_;
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
