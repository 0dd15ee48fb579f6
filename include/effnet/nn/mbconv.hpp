#pragma once

#include <optional>

#include <effnet/nn/expand_depthwise.hpp>
#include <effnet/nn/squeeze_excite.hpp>

namespace effnet {

/// MBConv: 1x1 expand, depthwise, squeeze-excite, 1x1 project; the input is added where shapes
/// allow. With a residual the projection adds into the input's memory, which becomes the output.
template <backend B>
class mbconv_block {
 public:
  mbconv_block(plan_builder<B>& plan, const block_spec& spec, activation act, const slot& src,
               bool keep_src)
      : front_(plan, spec, act, src, spec.has_se()) {
    const slot& deep = front_.dst();
    if (spec.has_se()) se_.emplace(plan, deep, act, front_.means());
    project_.emplace(plan, layer_role::project, deep.shape, epilogue{.add_dst = spec.has_skip()},
                     spec.has_se());
    dst_ = spec.has_skip() ? src : plan.acquire(project_->dst_shape());
    if (se_) plan.release(se_->gate());
    plan.release(deep);
    if (!spec.has_skip() && !keep_src) plan.release(src);
  }

  const slot& dst() const { return dst_; }

  void run(const B& on, const arena_view& memory) const {
    front_.run(on, memory);
    const const_tensor_view deep = memory.at(front_.dst());
    if (se_ && project_->takes_gate()) {
      se_->run_gate(on, memory);
      project_->run_gated(on, deep, memory.at(se_->gate()), memory.at(dst_), memory.scratch);
    } else {
      if (se_) se_->run(on, memory);
      project_->run(on, deep, memory.at(dst_), memory.scratch);
    }
  }

 private:
  expand_depthwise<B> front_;
  std::optional<squeeze_excite<B>> se_;
  std::optional<conv_act<B>> project_;
  slot dst_;
};

}  // namespace effnet
