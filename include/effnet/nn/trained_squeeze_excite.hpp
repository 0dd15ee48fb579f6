#pragma once

#include <effnet/nn/conv_norm.hpp>

namespace effnet {

/// Squeeze-and-excitation in training: the gate sigmoid(excite(act(squeeze(mean(x))))) of the
/// result x of a `conv_norm`, which whoever reads x multiplies it with.
template <training_backend B>
class trained_squeeze_excite {
 public:
  trained_squeeze_excite(training_builder<B>& build, conv_norm<B>& unit, activation act)
      : unit_(&unit),
        act_(act),
        pooled_shape_(pooled(unit.value().shape)),
        differentiable_(unit.value().differentiable),
        pooled_(build.space.add_rows(pooled_shape_)),
        squeeze_(build, layer_role::squeeze, pooled_shape_, differentiable_),
        squeezed_(build.space.add_rows(squeeze_.dst_shape())),
        active_(build.space.add_rows(squeeze_.dst_shape())),
        excite_(build, layer_role::excite, squeeze_.dst_shape(), differentiable_),
        excited_(build.space.add_rows(pooled_shape_)),
        gate_(build.space.add_rows(pooled_shape_)) {
    unit.set_gate(gate_);
  }

  /// Not the gate, which outlives the block where its output waits for its readers.
  int dst() const { return excited_; }

  void plan_forward(training_space& space) {
    for (int id : {pooled_, squeezed_, active_, excited_, gate_}) space.acquire(id);
  }
  void forward(const training_pass<B>& pass, bool) const {
    const tensor_view mean = pass.at(pooled_, pooled_shape_);
    const tensor_view squeezed = pass.at(squeezed_, squeeze_.dst_shape());
    const tensor_view active = pass.at(active_, squeeze_.dst_shape());
    const tensor_view excited = pass.at(excited_, pooled_shape_);
    normalised source = unit_->result(pass, false);
    source.keep = nullptr;
    pass.on.normalise_pool(source, mean);
    squeeze_.forward(pass, mean, squeezed);
    pass.on.activation_forward(act_, squeezed, active);
    excite_.forward(pass, active, excited);
    pass.on.activation_forward(activation::sigmoid, excited, pass.at(gate_, pooled_shape_));
  }

  void plan_backward(training_space& space) {
    diff_dst_ = space.diff(unit_->dst());
    diff_gate_ = space.acquire_rows(pooled_shape_);
    diff_active_ = space.acquire_rows(squeeze_.dst_shape());
    diff_pooled_ = space.acquire_rows(pooled_shape_);
    sums_ = space.acquire_rows(sums_shape());
    space.release(diff_gate_);
    space.release(diff_active_);
    unit_->set_diff_pool(diff_pooled_);
    unit_->set_gate_sums(sums_);
  }
  void backward(const training_pass<B>& pass) const {
    const tensor_view diff_gate = pass.at(diff_gate_, pooled_shape_);
    const tensor_view diff_active = pass.at(diff_active_, squeeze_.dst_shape());
    pass.on.gate_backward(unit_->result(pass, false), pass.at(diff_dst_, unit_->value().shape),
                          diff_gate, pass.at(sums_, sums_shape()).data);
    pass.on.activation_backward(activation::sigmoid, pass.at(excited_, pooled_shape_), diff_gate,
                                diff_gate);
    if (excite_.trained())
      excite_.backward_weights(pass, pass.at(active_, squeeze_.dst_shape()), diff_gate);
    excite_.backward_data(pass, diff_gate, diff_active);
    pass.on.activation_backward(act_, pass.at(squeezed_, squeeze_.dst_shape()), diff_active,
                                diff_active);
    if (squeeze_.trained())
      squeeze_.backward_weights(pass, pass.at(pooled_, pooled_shape_), diff_active);
    squeeze_.backward_data(pass, diff_active, pass.at(diff_pooled_, pooled_shape_));
  }

 private:
  shape4 sums_shape() const { return {pooled_shape_.n, 1, 4, pooled_shape_.c}; }
  static shape4 pooled(const shape4& s) { return {s.n, 1, 1, s.c}; }

  conv_norm<B>* unit_;
  activation act_;
  shape4 pooled_shape_;
  bool differentiable_;
  int pooled_;
  trained_layer<B> squeeze_;
  int squeezed_, active_;
  trained_layer<B> excite_;
  int excited_, gate_;
  int diff_dst_ = training_space::none, diff_gate_ = training_space::none;
  int diff_active_ = training_space::none, diff_pooled_ = training_space::none;
  int sums_ = training_space::none;
};

}  // namespace effnet
