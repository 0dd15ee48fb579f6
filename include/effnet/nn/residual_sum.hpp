#pragma once

#include <effnet/nn/conv_norm.hpp>

namespace effnet {

/// The sum of a block's last convolution and its shortcut, stored; its readers apply `act`.
/// Stochastic depth drops the convolution's part.
template <training_backend B>
class residual_sum {
 public:
  residual_sum(training_builder<B>& build, conv_norm<B>& branch, const training_value<B>& shortcut,
               activation act)
      : branch_(&branch),
        shortcut_(shortcut),
        external_(build.space.external(shortcut.tensor)),
        act_(act),
        dst_(build.space.add(shortcut.shape)) {}

  training_value<B> value() const {
    return {dst_, shortcut_.shape, nullptr, act_,
            branch_->value().differentiable || shortcut_.differentiable};
  }
  int dst() const { return dst_; }

  void plan_forward(training_space& space) { space.acquire(dst_); }
  void forward(const training_pass<B>& pass, bool) const {
    const const_tensor_view shortcut = materialise(pass, shortcut_, dst_, external_);
    pass.on.normalise_forward(branch_->result(pass), shortcut.data, pass.at(dst_, shortcut_.shape));
  }

  void plan_backward(training_space& space) {
    diff_ = space.diff(dst_);
    space.set_diff(branch_->dst(), diff_);
    if (shortcut_.differentiable) space.set_diff(shortcut_.tensor, diff_);
    space.drop_diff(dst_);
    space.release(dst_);
  }
  void backward(const training_pass<B>& pass) const {
    if (act_ == activation::identity) return;
    const tensor_view diff = pass.at(diff_, shortcut_.shape);
    pass.on.activation_backward(act_, pass.at(dst_, shortcut_.shape), diff, diff);
  }

 private:
  conv_norm<B>* branch_;
  training_value<B> shortcut_;
  bool external_;
  activation act_;
  int dst_;
  int diff_ = training_space::none;
};

}  // namespace effnet
