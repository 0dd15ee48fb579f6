#pragma once

#include <array>
#include <cstddef>

#include <effnet/core/rounded_up.hpp>
#include <effnet/nn/recorded_pass.hpp>
#include <effnet/nn/training_batch.hpp>
#include <effnet/nn/training_plan.hpp>

namespace effnet {

/// Forward pass, loss and backward pass of a plan as graphs, on backends that record steps: one
/// graph for each set of launches. Images and targets are first copied behind the activations,
/// where a graph finds those of every step.
template <training_backend B>
class training_graphs {};

template <records_steps B>
class training_graphs<B> {
 public:
  std::size_t arena_bytes(const training_plan<B>& plan) const { return places(plan).end; }

  /// The loss. `pass` is that of the images, in an arena of `arena_bytes`.
  double forward_backward(const training_plan<B>& plan, training_pass<B> pass,
                          const training_batch& batch, bool drops) {
    const places at(plan);
    const auto floats = [&](std::size_t offset) {
      return reinterpret_cast<float*>(pass.arena + offset);
    };
    float *images = floats(at.images), *targets = floats(at.targets), *losses = floats(at.losses);
    pass.on.copy(batch.images.data, images, plan.images().elements() * sizeof(float));
    pass.on.copy(batch.targets, targets, plan.head().logits_shape().elements() * sizeof(float));
    pass.images = images;
    // Weights are packed by a graph all together or not at all: not one graph for each layer.
    const bool packs = !plan.packed_from(pass.version);
    try {
      graph_of(drops, pass.keep != nullptr, packs)
          .run(pass.on,
               {pass.arena, pass.scratch, pass.statistics, batch.loss, batch.smoothing,
                batch.class_weights},
               [&] {
                 if (packs) plan.set_packed_from(training_plan<B>::outdated);
                 plan.forward(pass, drops);
                 pass.on.losses_backward(batch.loss, plan.logits(pass), targets, batch.smoothing,
                                         batch.class_weights, plan.diff_logits(pass), losses);
                 plan.backward(pass, drops);
               });
    } catch (...) {
      if (packs) plan.set_packed_from(training_plan<B>::outdated);  // perhaps none were packed
      throw;
    }
    plan.set_packed_from(pass.version);
    return pass.on.mean_loss(losses, plan.images().n);
  }

  /// `body` moves the running statistics towards those of `pass`.
  template <class Body>
  void move_statistics(const training_pass<B>& pass, float momentum, const Body& body) {
    moves_.run(pass.on, {pass.statistics, momentum}, body);
  }

 private:
  /// Where things stand in the arena.
  struct places {
    std::size_t images, targets, losses, end;

    explicit places(const training_plan<B>& plan)
        : images(aligned(plan.arena_bytes())),
          targets(images + aligned(plan.images().elements() * sizeof(float))),
          losses(targets + aligned(plan.head().logits_shape().elements() * sizeof(float))),
          end(losses + aligned(static_cast<std::size_t>(plan.images().n) * sizeof(float))) {}
    static std::size_t aligned(std::size_t bytes) {
      return rounded_up(bytes, arena_plan::alignment);
    }
  };
  /// What the launches of a step are given, beside what the plan knows.
  struct step_key {
    const std::byte *arena, *scratch;
    const float* statistics;
    loss_kind loss;
    float smoothing;
    const float* class_weights;
    friend bool operator==(const step_key&, const step_key&) = default;
  };
  struct moves_key {
    const float* statistics;
    float momentum;
    friend bool operator==(const moves_key&, const moves_key&) = default;
  };

  recorded_pass<B, step_key>& graph_of(bool drops, bool skips, bool packs) {
    return steps_[(drops ? 4u : 0u) + (skips ? 2u : 0u) + (packs ? 1u : 0u)];
  }

  std::array<recorded_pass<B, step_key>, 8> steps_;
  recorded_pass<B, moves_key> moves_;
};

}  // namespace effnet
