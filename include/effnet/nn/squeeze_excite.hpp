#pragma once

#include <effnet/nn/conv_act.hpp>

namespace effnet {

/// Squeeze-and-excitation, in place: x * sigmoid(excite(act(squeeze(mean(x))))).
template <backend B>
class squeeze_excite {
 public:
  squeeze_excite(plan_builder<B>& plan, const slot& on, activation act)
      : on_(on),
        pooled_(plan.acquire({on.shape.n, 1, 1, on.shape.c})),
        squeeze_(plan, layer_role::squeeze, pooled_.shape, {.before = act}),
        squeezed_(plan.acquire(squeeze_.dst_shape())),
        excite_(plan, layer_role::excite, squeezed_.shape, {.before = activation::sigmoid}),
        gate_(plan.acquire(excite_.dst_shape())) {
    for (const slot& s : {pooled_, squeezed_, gate_}) plan.release(s);
  }

  void run(const B& on, const arena_view& memory) const {
    const tensor_view x = memory.at(on_);
    on.global_pool_forward(x, memory.at(pooled_));
    squeeze_.run(on, memory.at(pooled_), memory.at(squeezed_), memory.scratch);
    excite_.run(on, memory.at(squeezed_), memory.at(gate_), memory.scratch);
    on.scale_channels_forward(x, memory.at(gate_), x);
  }

 private:
  slot on_, pooled_;
  conv_act<B> squeeze_;
  slot squeezed_;
  conv_act<B> excite_;
  slot gate_;
};

}  // namespace effnet
