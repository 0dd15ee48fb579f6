#pragma once

#include <memory>
#include <optional>

#include <effnet/nn/conv_act.hpp>

namespace effnet {

/// The two layers of squeeze-excite, from means to gates, planned for one shape: op by op.
template <backend B>
class squeeze_excite_layers {
 public:
  squeeze_excite_layers(plan_builder<B>& plan, const slot& means, activation act)
      : squeeze_(plan, layer_role::squeeze, means.shape, {.before = act}),
        squeezed_(plan.acquire_rows(means.shape.n, squeeze_.dst_shape().c)),
        excite_(plan, layer_role::excite, squeezed_.shape, {.before = activation::sigmoid}) {
    plan.release(squeezed_);
  }

  void run(const B& on, const arena_view& memory, const slot& means, const slot& gate) const {
    squeeze_.run(on, memory.at(means), memory.at(squeezed_), memory.scratch);
    excite_.run(on, memory.at(squeezed_), memory.at(gate), memory.scratch);
  }

 private:
  conv_act<B> squeeze_;
  slot squeezed_;
  conv_act<B> excite_;
};

/// The same in one op of the backend.
template <fuses_squeeze_excite B>
class squeeze_excite_layers<B> {
 public:
  squeeze_excite_layers(plan_builder<B>& plan, const slot& means, activation act) {
    const std::size_t first = plan.take(layer_role::squeeze),
                      second = plan.take(layer_role::excite);
    const conv_problem squeeze = problem_of(plan.layer_at(first), plan.padding(), means.shape);
    const conv_problem excite = problem_of(plan.layer_at(second), plan.padding(), squeeze.dst());
    op_.emplace(plan.device().plan_squeeze_excite(squeeze, excite, act));
    squeeze_weights_ = plan.packed(first, op_->squeeze());
    excite_weights_ = plan.packed(second, op_->excite());
  }

  void run(const B& on, const arena_view& memory, const slot& means, const slot& gate) const {
    on.squeeze_excite_forward(*op_, *squeeze_weights_, *excite_weights_, memory.at(means),
                              memory.at(gate));
  }

 private:
  std::optional<typename B::squeeze_excite> op_;
  std::shared_ptr<const typename B::packed> squeeze_weights_, excite_weights_;
};

/// Squeeze-and-excitation: gate = sigmoid(excite(act(squeeze(mean(x))))), and x * gate.
template <backend B>
class squeeze_excite {
 public:
  /// Of what stands at `on`. `means`: where its means are made already, if they are.
  squeeze_excite(plan_builder<B>& plan, const slot& on, activation act,
                 const std::optional<slot>& means = {})
      : on_(on),
        pools_(!means),
        pooled_(means ? *means : plan.acquire_rows(on.shape.n, on.shape.c)),
        gate_(plan.acquire_rows(on.shape.n, on.shape.c)),
        layers_(plan, pooled_, act) {
    plan.release(pooled_);
  }

  const slot& gate() const { return gate_; }

  /// [n, 1, 1, c] into the place of the gate.
  void run_gate(const B& on, const arena_view& memory) const {
    if (pools_) on.global_pool_forward(memory.at(on_), memory.at(pooled_));
    layers_.run(on, memory, pooled_, gate_);
  }
  /// The whole op, in place.
  void run(const B& on, const arena_view& memory) const {
    run_gate(on, memory);
    const tensor_view x = memory.at(on_);
    on.scale_channels_forward(x, memory.at(gate_), x);
  }

 private:
  slot on_;
  bool pools_;
  slot pooled_, gate_;
  squeeze_excite_layers<B> layers_;
};

}  // namespace effnet
