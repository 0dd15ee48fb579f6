#pragma once

#include <effnet/nn/conv_norm.hpp>

namespace effnet {

/// Max pooling in training (ResNet's stem).
template <training_backend B>
class trained_max_pool {
 public:
  trained_max_pool(training_builder<B>& build, const training_value<B>& src,
                   const max_pool_problem& problem)
      : src_(src), problem_(problem), dst_(build.space.add(problem.dst())) {}

  training_value<B> value() const {
    return {dst_, problem_.dst(), nullptr, activation::identity, src_.differentiable};
  }
  int dst() const { return dst_; }

  void plan_forward(training_space& space) {
    if (src_buffer_ == training_space::none) src_buffer_ = space.add(src_.shape);
    space.acquire(src_buffer_);
    space.acquire(dst_);
    space.release(src_buffer_);
  }
  void forward(const training_pass<B>& pass, bool) const {
    pass.on.max_pool_forward(problem_, materialise(pass, src_, src_buffer_, false),
                             pass.at(dst_, problem_.dst()));
  }

  void plan_backward(training_space& space) {
    diff_dst_ = space.diff(dst_);
    if (src_.differentiable) {
      diff_src_buffer_ = space.acquire(src_.shape);
      diff_src_ = space.acquire(src_.shape);
      space.release(diff_src_buffer_);
      space.set_diff(src_.tensor, diff_src_);
    }
    space.drop_diff(dst_);
    space.release(dst_);
  }
  void backward(const training_pass<B>& pass) const {
    if (!src_.differentiable) return;
    pass.on.max_pool_backward(problem_, materialise(pass, src_, diff_src_buffer_, false),
                              pass.at(diff_dst_, problem_.dst()), pass.at(diff_src_, src_.shape));
  }

 private:
  training_value<B> src_;
  max_pool_problem problem_;
  int dst_;
  int src_buffer_ = training_space::none, diff_src_buffer_ = training_space::none;
  int diff_dst_ = training_space::none, diff_src_ = training_space::none;
};

}  // namespace effnet
