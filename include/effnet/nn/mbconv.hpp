#pragma once

#include <optional>

#include <effnet/nn/squeeze_excite.hpp>

namespace effnet {

/// MBConv: 1x1 expand, depthwise, squeeze-excite, 1x1 project; the input is added where shapes
/// allow. With a residual the projection adds into the input's memory, which becomes the output.
template <backend B>
class mbconv_block {
 public:
  mbconv_block(plan_builder<B>& plan, const block_spec& spec, activation act, const slot& src,
               bool keep_src)
      : src_(src) {
    slot wide = src;
    if (spec.expand != 1) {
      expand_.emplace(plan, layer_role::expand, src.shape, epilogue{.before = act});
      wide = plan.acquire(expand_->dst_shape());
      wide_ = wide;
    }
    depthwise_.emplace(plan, layer_role::depthwise, wide.shape, epilogue{.before = act});
    deep_ = plan.acquire(depthwise_->dst_shape());
    if (expand_) plan.release(wide);
    if (spec.has_se()) se_.emplace(plan, deep_, act);
    project_.emplace(plan, layer_role::project, deep_.shape, epilogue{.add_dst = spec.has_skip()});
    dst_ = spec.has_skip() ? src : plan.acquire(project_->dst_shape());
    plan.release(deep_);
    if (!spec.has_skip() && !keep_src) plan.release(src);
  }

  const slot& dst() const { return dst_; }

  void run(const B& on, const arena_view& memory) const {
    const_tensor_view wide = memory.source(src_);
    if (expand_) {
      expand_->run(on, wide, memory.at(wide_), memory.scratch);
      wide = memory.at(wide_);
    }
    depthwise_->run(on, wide, memory.at(deep_), memory.scratch);
    if (se_) se_->run(on, memory);
    project_->run(on, memory.at(deep_), memory.at(dst_), memory.scratch);
  }

 private:
  std::optional<conv_act<B>> expand_, depthwise_, project_;
  std::optional<squeeze_excite<B>> se_;
  slot src_, wide_, deep_, dst_;
};

}  // namespace effnet
