#pragma once

#include <memory>
#include <optional>

#include <effnet/nn/conv_act.hpp>

namespace effnet {

/// The first half of an MBConv block, 1x1 expand (unless the expand ratio is 1) and depthwise, both
/// activated, planned for one shape: op by op.
template <backend B>
class expand_depthwise {
 public:
  /// `with_means`: whether squeeze-excite follows.
  expand_depthwise(plan_builder<B>& plan, const block_spec& spec, activation act, const slot& src,
                   bool /*with_means*/)
      : src_(src) {
    slot wide = src;
    if (spec.expand != 1) {
      expand_.emplace(plan, layer_role::expand, src.shape, epilogue{.before = act});
      wide = wide_ = plan.acquire(expand_->dst_shape());
    }
    depthwise_.emplace(plan, layer_role::depthwise, wide.shape, epilogue{.before = act});
    dst_ = plan.acquire(depthwise_->dst_shape());
    if (expand_) plan.release(wide);
  }

  const slot& dst() const { return dst_; }
  /// Where the means of the result over each image are, if this op makes them.
  const std::optional<slot>& means() const { return means_; }

  void run(const B& on, const arena_view& memory) const {
    const_tensor_view wide = memory.source(src_);
    if (expand_) {
      expand_->run(on, wide, memory.at(wide_), memory.scratch);
      wide = memory.at(wide_);
    }
    depthwise_->run(on, wide, memory.at(dst_), memory.scratch);
  }

 private:
  std::optional<conv_act<B>> expand_, depthwise_;
  slot src_, wide_, dst_;
  std::optional<slot> means_;
};

/// The same in one op of the backend.
template <fuses_mbconv B>
class expand_depthwise<B> {
 public:
  expand_depthwise(plan_builder<B>& plan, const block_spec& spec, activation act, const slot& src,
                   bool with_means)
      : src_(src) {
    std::optional<conv_problem> expand;
    std::size_t expand_index = 0;
    shape4 wide = src.shape;
    if (spec.expand != 1) {
      expand_index = plan.take(layer_role::expand);
      expand = problem_of(plan.layer_at(expand_index), plan.padding(), src.shape);
      wide = expand->dst();
    }
    const std::size_t index = plan.take(layer_role::depthwise);
    const conv_problem depthwise = problem_of(plan.layer_at(index), plan.padding(), wide);
    op_.emplace(plan.device().plan_expand_depthwise(expand ? &*expand : nullptr, depthwise, act));
    if (expand) expand_weights_ = plan.packed(expand_index, op_->expand());
    depthwise_weights_ = plan.packed(index, op_->depthwise());
    plan.scratch(op_->scratch_bytes());
    dst_ = plan.acquire(depthwise.dst());
    if (with_means) means_ = plan.acquire_rows(dst_.shape.n, dst_.shape.c);
  }

  const slot& dst() const { return dst_; }
  const std::optional<slot>& means() const { return means_; }

  void run(const B& on, const arena_view& memory) const {
    on.expand_depthwise_forward(*op_, expand_weights_.get(), *depthwise_weights_,
                                memory.source(src_), memory.at(dst_),
                                means_ ? memory.at(*means_).data : nullptr, memory.scratch);
  }

 private:
  std::optional<typename B::expand_depthwise> op_;
  std::shared_ptr<const typename B::packed> expand_weights_, depthwise_weights_;
  slot src_, dst_;
  std::optional<slot> means_;
};

}  // namespace effnet
