#pragma once

#include <optional>

#include <effnet/nn/conv_act.hpp>

namespace effnet {

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
        squeeze_(plan, layer_role::squeeze, pooled_.shape, {.before = act}),
        squeezed_(plan.acquire_rows(on.shape.n, squeeze_.dst_shape().c)),
        excite_(plan, layer_role::excite, squeezed_.shape, {.before = activation::sigmoid}),
        gate_(plan.acquire_rows(on.shape.n, on.shape.c)) {
    for (const slot& s : {pooled_, squeezed_}) plan.release(s);
  }

  const slot& gate() const { return gate_; }

  /// [n, 1, 1, c] into the place of the gate.
  void run_gate(const B& on, const arena_view& memory) const {
    if (pools_) on.global_pool_forward(memory.at(on_), memory.at(pooled_));
    squeeze_.run(on, memory.at(pooled_), memory.at(squeezed_), memory.scratch);
    excite_.run(on, memory.at(squeezed_), memory.at(gate_), memory.scratch);
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
  slot pooled_;
  conv_act<B> squeeze_;
  slot squeezed_;
  conv_act<B> excite_;
  slot gate_;
};

}  // namespace effnet
