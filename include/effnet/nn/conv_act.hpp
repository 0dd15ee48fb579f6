#pragma once

#include <memory>

#include <effnet/nn/plan_builder.hpp>

namespace effnet {

/// A convolution with folded batch norm and what follows it, planned for one shape: fused where the
/// backend offers that, otherwise op by op.
template <backend B>
class conv_act {
 public:
  /// Plans the next layer of the network, of role `role`, on a source of shape `src`. `gated`: what
  /// it reads will be scaled by a gate, where the backend offers that.
  conv_act(plan_builder<B>& plan, layer_role role, shape4 src, epilogue then, bool gated = false)
      : conv_act(plan, plan.take(role), src, then, gated && fuses_mbconv<B>) {}

  shape4 dst_shape() const { return problem_.dst(); }
  const conv_problem& problem() const { return problem_; }
  std::string_view implementation() const { return op_.implementation(); }

  bool takes_gate() const { return gated_; }

  /// Of src * gate[n, 1, 1, c], for one that takes a gate.
  void run_gated(const B& on, const_tensor_view src, const_tensor_view gate, tensor_view dst,
                 std::byte* scratch) const {
    if constexpr (fuses_mbconv<B>) on.conv_forward_gated(op_, *weights_, src, gate, dst, scratch);
  }

  /// With `add_dst` in the epilogue, `dst` holds the residual on entry.
  void run(const B& on, const_tensor_view src, tensor_view dst, std::byte* scratch) const {
    if constexpr (fuses_epilogues<B>) {
      on.conv_forward(op_, *weights_, src, dst, scratch);
    } else {
      const tensor_view result =
          then_.add_dst ? tensor_view{reinterpret_cast<float*>(scratch + aside_), dst.shape} : dst;
      on.conv_forward(op_, *weights_, src, result, scratch);
      if (then_.before != activation::identity) on.activation_forward(then_.before, result, result);
      if (then_.add_dst) on.add_forward(result, dst, dst);
      if (then_.after != activation::identity) on.activation_forward(then_.after, dst, dst);
    }
  }

 private:
  conv_act(plan_builder<B>& plan, std::size_t index, shape4 src, epilogue then, bool gated)
      : problem_(problem_of(plan.layer_at(index), plan.padding(), src)),
        then_(then),
        gated_(gated),
        op_(make(plan.device())),
        weights_(plan.packed(index, op_)) {
    std::size_t bytes = op_.scratch_bytes();
    if constexpr (!fuses_epilogues<B>) {
      aside_ = rounded_up(bytes, arena_plan::alignment);
      if (then.add_dst) bytes = aside_ + problem_.dst().elements() * sizeof(float);
    }
    plan.scratch(bytes);
  }
  typename B::conv make(const B& on) const {
    if constexpr (fuses_mbconv<B>)
      if (gated_) return on.plan_gated_conv(problem_, then_);
    if constexpr (fuses_epilogues<B>)
      return on.plan_conv(problem_, then_);
    else
      return on.plan_conv(problem_);
  }

  conv_problem problem_;
  epilogue then_;
  bool gated_;
  typename B::conv op_;
  std::shared_ptr<const typename B::packed> weights_;
  std::size_t aside_ = 0;  // where the unfused form keeps its result apart from the residual
};

}  // namespace effnet
