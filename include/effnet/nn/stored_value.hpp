#pragma once

#include <effnet/nn/conv_norm.hpp>

namespace effnet {

/// A value computed and kept, for a reader that cannot compute it.
template <training_backend B>
class stored_value {
 public:
  stored_value(training_builder<B>& build, const training_value<B>& src)
      : src_(src), dst_(build.space.add(src.shape)) {}

  training_value<B> value() const {
    return {dst_, src_.shape, nullptr, activation::identity, src_.differentiable};
  }
  int dst() const { return dst_; }

  void plan_forward(training_space& space) { space.acquire(dst_); }
  void forward(const training_pass<B>& pass, bool) const { materialise(pass, src_, dst_, false); }

  void plan_backward(training_space& space) {
    space.set_diff(src_.tensor, space.diff(dst_));
    space.drop_diff(dst_);
    space.release(dst_);
  }
  void backward(const training_pass<B>&) const {}  // its gradient is that of its source

 private:
  training_value<B> src_;
  int dst_;
};

}  // namespace effnet
