#pragma once

#include <optional>

#include <effnet/nn/conv_act.hpp>

namespace effnet {

/// ResNet's bottleneck: 1x1, 3x3 with the stride, 1x1; the sum with the (projected) input is
/// activated.
template <backend B>
class bottleneck_block {
 public:
  bottleneck_block(plan_builder<B>& plan, const block_spec& spec, activation act, const slot& src,
                   bool keep_src)
      : src_(src) {
    reduce_.emplace(plan, layer_role::reduce, src.shape, epilogue{.before = act});
    narrow_ = plan.acquire(reduce_->dst_shape());
    spatial_.emplace(plan, layer_role::spatial, narrow_.shape, epilogue{.before = act});
    deep_ = plan.acquire(spatial_->dst_shape());
    plan.release(narrow_);
    restore_.emplace(plan, layer_role::restore, deep_.shape,
                     epilogue{.add_dst = true, .after = act});
    dst_ = src;
    if (!spec.keeps_shape()) {
      shortcut_.emplace(plan, layer_role::shortcut, src.shape, epilogue{});
      dst_ = plan.acquire(shortcut_->dst_shape());
    }
    plan.release(deep_);
    if (shortcut_ && !keep_src) plan.release(src);
  }

  const slot& dst() const { return dst_; }

  void run(const B& on, const arena_view& memory) const {
    const const_tensor_view src = memory.source(src_);
    reduce_->run(on, src, memory.at(narrow_), memory.scratch);
    spatial_->run(on, memory.at(narrow_), memory.at(deep_), memory.scratch);
    if (shortcut_) shortcut_->run(on, src, memory.at(dst_), memory.scratch);
    restore_->run(on, memory.at(deep_), memory.at(dst_), memory.scratch);
  }

 private:
  std::optional<conv_act<B>> reduce_, spatial_, restore_, shortcut_;
  slot src_, narrow_, deep_, dst_;
};

}  // namespace effnet
