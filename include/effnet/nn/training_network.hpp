#pragma once

#include <cmath>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <effnet/nn/layer_text.hpp>
#include <effnet/nn/training_batch.hpp>
#include <effnet/nn/training_graphs.hpp>
#include <effnet/nn/training_randomness.hpp>

namespace effnet {

/// A network while it is trained: its tensors, their gradients, and a plan for every image size and
/// batch in use. All activations live in one block of memory that is reused from step to step.
template <training_backend B>
class training_network {
 public:
  using backend_type = B;
  static constexpr int smallest_side = 32;
  static constexpr std::size_t most_plans = 8;  ///< shapes that stay planned; the oldest goes first

  /// Throws `spec_error` or `weight_error` where `from` is not what its table says, or where more
  /// stages are to be frozen than there are.
  explicit training_network(const weights& from, B on = {}, const training_settings& settings = {})
      : about_(std::make_unique<const description>(from.spec, from.rule, from.labels, settings)),
        on_(std::move(on)),
        tensors_(std::make_unique<trained_tensors<B>>(from, settings, on_)),
        packed_(std::make_unique<packed_for_training<B>>(tensors_->layers().size())) {}

  const network_spec& spec() const { return about_->spec; }
  const convention& rule() const { return about_->rule; }
  const std::vector<std::string>& labels() const { return about_->labels; }
  const training_settings& settings() const { return about_->settings; }
  const B& device() const { return on_; }

  /// Every tensor but `bn_num_batches`, in the order of PyTorch's state dict.
  const std::vector<tensor_spec>& tensors() const { return tensors_->specs(); }
  std::span<float> values(std::size_t i) { return tensors_->values(i); }
  std::span<const float> values(std::size_t i) const { return tensors_->values(i); }
  /// Empty where the tensor is not trained.
  std::span<float> gradient(std::size_t i) { return tensors_->gradient(i); }
  bool trained(std::size_t i) const { return tensors_->trained(i); }
  /// Has to be called after `values` were changed.
  void values_changed() { ++version_; }

  /// Loss of the batch, averaged over its images, and its gradients, which replace those before.
  /// Where the loss is finite the running statistics move. Throws `shape_error` for images that do
  /// not fit.
  double forward_backward(const training_batch& batch) {
    const auto scope = on_.enter();
    planned_step& plan = ready(batch.images);
    check_statistics(plan);
    const bool drops = draw_dropout(plan, batch), skips = draw_depth(plan, batch);
    const training_pass<B> pass = pass_of(plan, batch.images.data, skips);
    if constexpr (records_steps<B>)
      if (on_.records()) {
        const double loss = plan.graphs.forward_backward(plan, pass, batch, drops);
        if (std::isfinite(loss))
          plan.graphs.move_statistics(pass, momentum(),
                                      [&] { move_statistics(plan, pass, momentum()); });
        return loss;
      }
    plan.forward(pass, drops);
    const double loss =
        on_.loss_backward(batch.loss, plan.logits(pass), batch.targets, batch.smoothing,
                          batch.class_weights, plan.diff_logits(pass));
    plan.backward(pass, drops);
    if (std::isfinite(loss)) move_statistics(plan, pass, momentum());
    return loss;
  }

  /// A forward pass without dropout and stochastic depth that moves the running statistics by
  /// `momentum` towards those of the images: 1 / k at the k-th batch averages over all.
  void estimate_statistics(const_tensor_view images, float momentum) {
    const auto scope = on_.enter();
    if (settings().frozen_batch_norm)
      throw spec_error(
          "batch norm is frozen in this network; make one without frozen_batch_norm to "
          "estimate its statistics");
    const training_plan<B>& plan = ready(images);
    check_statistics(plan);
    const training_pass<B> pass = pass_of(plan, images.data, false);
    plan.forward(pass, false);
    move_statistics(plan, pass, momentum);
  }

  /// Logits of the last pass, [n, 1, 1, classes]; empty where there was none.
  const_tensor_view logits() const {
    if (last_ == nullptr) return {};
    return last_->logits(pass_of(*last_, nullptr, false));
  }

  /// What a step on images of this shape needs. Plans kernels, but allocates no activations.
  memory_plan plan(shape4 images) {
    const auto scope = on_.enter();
    const planned_step& made = planned(images);
    return {.rows = made.memory(),
            .activations = arena_bytes(made) + made.statistics_bytes(),
            .scratch = made.scratch_bytes(),
            .values = tensors_->value_bytes(),
            .gradients = tensors_->gradient_bytes(),
            .packed = tensors_->value_bytes() + tensors_->gradient_bytes()};
  }

  /// The first layer, in the network's order, whose batch statistics in the last pass are no
  /// numbers; else the first tensor whose gradient is none; else "".
  std::string first_non_finite() const {
    if (last_ == nullptr) return "";
    const training_plan<B>& plan = *last_;
    std::string found;
    std::vector<float> host;
    plan.for_each_norm([&](const conv_norm<B>& unit) {
      if (found.empty() && !unit.finite(pass_of(plan, nullptr, false), host))
        found = layer_text(unit.tensors().what);
    });
    for (std::size_t i = 0; found.empty() && i < tensors().size(); ++i) {
      const std::span<const float> gradient = tensors_->gradient(i);
      host.resize(gradient.size());
      on_.download(gradient.data(), host.data(), gradient.size_bytes());
      if (!std::all_of(host.begin(), host.end(), [](float x) { return std::isfinite(x); }))
        found = layer_text(tensors()[i].of);
    }
    return found;
  }

  /// A copy of all tensors, for inference or a file.
  weights snapshot() const {
    return filled_weights(spec(), rule(), [&](std::uint64_t index, const tensor_spec&, float* to) {
      const std::span<const float> from = tensors_->values(index);
      on_.download(from.data(), to, from.size_bytes());
    });
  }

 private:
  struct description {
    network_spec spec;
    convention rule;
    std::vector<std::string> labels;
    training_settings settings;

    description(const network_spec& s, const convention& r, const std::vector<std::string>& l,
                const training_settings& how)
        : spec(s), rule(r), labels(l), settings(how) {}
  };

  struct planned_step : training_plan<B> {
    using training_plan<B>::training_plan;
    [[no_unique_address]] training_graphs<B> graphs = {};
  };

  float momentum() const {
    return settings().bn_momentum > 0 ? settings().bn_momentum : rule().bn_momentum;
  }

  training_pass<B> pass_of(const training_plan<B>& plan, const float* images, bool skips) const {
    float* statistics = reinterpret_cast<float*>(statistics_.data());
    return {.on = on_,
            .arena = arena_.data(),
            .scratch = scratch_.data(),
            .statistics = statistics,
            .images = images,
            .keep = skips ? statistics + plan.keep_offset() : nullptr,
            .version = version_};
  }

  void move_statistics(const training_plan<B>& plan, const training_pass<B>& pass, float by) {
    plan.for_each_norm(
        [&](const conv_norm<B>& unit) { unit.move_statistics(pass, by, settings().variance); });
  }

  /// Whether there is a mask to be used.
  bool draw_dropout(const training_plan<B>& plan, const training_batch& batch) {
    if (!(batch.dropout > 0)) return false;
    const shape4& shape = plan.head().pooled_shape();
    drawn_.resize(shape.elements());
    draw_dropout_mask(batch.seed, batch.step, batch.first_image, shape.c, batch.dropout, drawn_);
    on_.upload(drawn_.data(), plan.head().mask(pass_of(plan, nullptr, false)),
               drawn_.size() * sizeof(float));
    return true;
  }
  bool draw_depth(const training_plan<B>& plan, const training_batch& batch) {
    if (!(batch.stochastic_depth > 0)) return false;
    const int images = plan.images().n;
    drawn_.resize(static_cast<std::size_t>(plan.blocks()) * static_cast<std::size_t>(images));
    draw_kept_blocks(batch.seed, batch.step, batch.first_image, images, plan.blocks(),
                     batch.stochastic_depth, drawn_);
    on_.upload(drawn_.data(), reinterpret_cast<float*>(statistics_.data()) + plan.keep_offset(),
               drawn_.size() * sizeof(float));
    return true;
  }

  void check_statistics(const training_plan<B>& plan) const {
    plan.for_each_norm([&](const conv_norm<B>& unit) {
      if (unit.is_degenerate())
        throw shape_error(sentence("images of shape ", to_string(plan.images()),
                                   " leave one pixel "
                                   "to the batch norm of ",
                                   layer_text(unit.tensors().what),
                                   ", which has no variance; use a larger batch or images, or "
                                   "freeze batch norm"));
    });
  }

  void check(shape4 s) const {
    const int channels = spec().in_channels;
    if (s.n < 1 || s.h < smallest_side || s.w < smallest_side || s.c != channels)
      throw shape_error(sentence("network '", std::string_view(spec().name),
                                 "' is trained on images of shape [n >= 1, h >= ", smallest_side,
                                 ", w >= ", smallest_side, ", ", channels, "] (NHWC), but got ",
                                 to_string(s)));
  }

  planned_step& planned(shape4 images) {
    check(images);
    const auto found = std::find_if(plans_.begin(), plans_.end(),
                                    [&](const auto& plan) { return plan->images() == images; });
    if (found != plans_.end()) {
      plans_.splice(plans_.begin(), plans_, found);
      return *plans_.front();
    }
    while (plans_.size() >= most_plans) {
      if (last_ == plans_.back().get()) last_ = nullptr;
      plans_.pop_back();
    }
    prepared_ = nullptr;  // its address may be given to the new one
    plans_.push_front(std::make_unique<planned_step>(
        spec(), training_builder<B>(*tensors_, *packed_, on_, rule(), settings()), images));
    return *plans_.front();
  }

  /// The plan for these images, with the memory it needs.
  planned_step& ready(const_tensor_view images) {
    planned_step& plan = planned(images.shape);
    grow(arena_, arena_bytes(plan));
    grow(scratch_, plan.scratch_bytes());
    if (grow(statistics_, plan.statistics_bytes()) || prepared_ != &plan) {
      plan.head().prepare(pass_of(plan, nullptr, false));
      prepared_ = &plan;
    }
    last_ = &plan;
    return plan;
  }
  /// With room for what graphs read and write beside activations.
  std::size_t arena_bytes(const planned_step& plan) const {
    if constexpr (records_steps<B>)
      if (on_.records()) return plan.graphs.arena_bytes(plan);
    return plan.arena_bytes();
  }
  /// Whether `to` had to be made anew.
  static bool grow(typename B::buffer& to, std::size_t bytes) {
    if (to.bytes() >= bytes) return false;
    to = {};  // the old one first: both at once would be the peak
    to = typename B::buffer(bytes);
    return true;
  }

  std::unique_ptr<const description> about_;  // plans refer to what is behind these pointers
  B on_;
  std::unique_ptr<trained_tensors<B>> tensors_;
  std::unique_ptr<packed_for_training<B>> packed_;
  std::uint64_t version_ = 0;
  std::list<std::unique_ptr<planned_step>> plans_;  // most recently used first
  const training_plan<B>* last_ = nullptr;          // of the last pass
  const training_plan<B>* prepared_ = nullptr;      // whose constants `statistics_` holds
  typename B::buffer arena_, scratch_, statistics_;
  std::vector<float> drawn_;
};

}  // namespace effnet
