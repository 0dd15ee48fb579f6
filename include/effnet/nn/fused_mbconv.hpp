#pragma once

#include <optional>

#include <effnet/nn/squeeze_excite.hpp>

namespace effnet {

/// Fused-MBConv: kxk expand and 1x1 project, or one activated kxk at expand ratio 1.
/// Squeeze-excite follows the kxk (automl, whose networks have none here, puts it in front of a
/// single one). The input is added where shapes allow.
template <backend B>
class fused_mbconv_block {
 public:
  fused_mbconv_block(plan_builder<B>& plan, const block_spec& spec, activation act, const slot& src,
                     bool keep_src)
      : src_(src), skip_(spec.has_skip()) {
    const bool single = spec.expand == 1;
    // A residual goes into the last convolution, unless squeeze-excite stands between the two.
    add_apart_ = skip_ && single && spec.has_se();
    // A kxk must not write where it still reads, so a single one leaves its sum in a new place.
    copy_ = skip_ && single && !spec.has_se();
    fused_.emplace(plan, layer_role::fused, src.shape, epilogue{.before = act, .add_dst = copy_});
    wide_ = plan.acquire(fused_->dst_shape());
    if (spec.has_se()) se_.emplace(plan, wide_, act);
    if (single) {
      dst_ = wide_;
    } else {
      project_.emplace(plan, layer_role::project, wide_.shape, epilogue{.add_dst = skip_});
      dst_ = skip_ ? src : plan.acquire(project_->dst_shape());
      plan.release(wide_);
    }
    if (!(skip_ && !single) && !keep_src) plan.release(src);
  }

  const slot& dst() const { return dst_; }

  void run(const B& on, const arena_view& memory) const {
    const const_tensor_view src = memory.source(src_);
    const tensor_view wide = memory.at(wide_);
    if (copy_) on.activation_forward(activation::identity, src, wide);
    fused_->run(on, src, wide, memory.scratch);
    if (se_) se_->run(on, memory);
    if (project_) project_->run(on, wide, memory.at(dst_), memory.scratch);
    if (add_apart_) on.add_forward(wide, src, wide);
  }

 private:
  std::optional<conv_act<B>> fused_, project_;
  std::optional<squeeze_excite<B>> se_;
  slot src_, wide_, dst_;
  bool skip_ = false, copy_ = false, add_apart_ = false;
};

}  // namespace effnet
