#pragma once

#include <cmath>

#include <effnet/nn/trained_layer.hpp>

namespace effnet {

template <training_backend B>
class conv_norm;

/// An activation as its readers see it: a stored buffer, perhaps with batch norm and activation
/// (and squeeze-excite's gate) still to be applied whenever it is read.
template <training_backend B>
struct training_value {
  int tensor = training_space::none;
  shape4 shape;
  conv_norm<B>* unit = nullptr;           ///< whose result it is, still to be normalised
  activation act = activation::identity;  ///< where there is no unit
  bool differentiable = false;            ///< whether something in front of it is trained

  bool stored() const { return unit == nullptr && act == activation::identity; }
};

/// The value itself, computed into `buffer` unless it is stored.
template <training_backend B>
const_tensor_view materialise(const training_pass<B>& pass, const training_value<B>& value,
                              int buffer, bool external) {
  const const_tensor_view source = external ? const_tensor_view(pass.images, value.shape)
                                            : const_tensor_view(pass.at(value.tensor, value.shape));
  if (value.stored()) return source;
  const tensor_view dst = pass.at(buffer, value.shape);
  if (value.unit != nullptr)
    pass.on.normalise_forward(value.unit->result(pass), nullptr, dst);
  else
    pass.on.activation_forward(value.act, source, dst);
  return dst;
}

/// A convolution and its batch norm in training. Only the convolution's result is kept until the
/// backward pass; whoever reads it applies batch norm, activation, gate and stochastic depth.
template <training_backend B>
class conv_norm {
 public:
  conv_norm(training_builder<B>& build, layer_role role, const training_value<B>& src,
            activation act)
      : layer_(build, role, src.shape, src.differentiable, src.unit != nullptr),
        src_(src),
        src_external_(build.space.external(src.tensor)),
        act_(act),
        dst_(build.space.add(layer_.dst_shape())),
        of_batch_(layer_.trained() && !build.settings.frozen_batch_norm),
        eps_(build.rule.bn_eps),
        tensors_(&build.tensors),
        statistics_(build.statistics) {
    build.statistics += static_cast<std::size_t>(channels()) * (2 + norm_constants::rows);
    build.scratch(build.on.norm_scratch_bytes(layer_.dst_shape()));
  }

  training_value<B> value() {
    return {dst_, layer_.dst_shape(), this, activation::identity,
            layer_.trained() || layer_.has_diff_src()};
  }
  int dst() const { return dst_; }
  int channels() const { return layer_.dst_shape().c; }
  const layer_tensors& tensors() const { return layer_.layer(); }

  /// Squeeze-excite's factors, [n,1,1,c], and the gradient of the mean that it reads.
  void set_gate(int gate) { gate_ = gate; }
  void set_diff_pool(int buffer) { diff_pool_ = buffer; }
  /// What squeeze-excite's backward pass has summed up, [n,1,4,c].
  void set_gate_sums(int buffer) { gate_sums_ = buffer; }
  /// Stochastic depth drops the result with block number `block`.
  void set_block(int block) { block_ = block; }
  int gate() const { return gate_; }
  /// Whether statistics are to be taken of one number a channel, which leave nothing of it.
  bool is_degenerate() const {
    const shape4 shape = layer_.dst_shape();
    return of_batch_ && shape.n * shape.h * shape.w == 1;
  }

  /// What readers make of the result; without the gate it is what squeeze-excite pools.
  normalised result(const training_pass<B>& pass, bool gated = true) const {
    const shape4 shape = layer_.dst_shape();
    normalised what{
        .src = pass.at(dst_, shape), .constants = {constants(pass), shape.c}, .act = act_};
    if (gated && gate_ != training_space::none)
      what.gate = pass.at(gate_, {shape.n, 1, 1, shape.c}).data;
    if (block_ >= 0 && pass.keep != nullptr) what.keep = pass.keep + block_ * shape.n;
    return what;
  }

  void plan_forward(training_space& space) {
    const bool computed = !src_.stored() && !layer_.reads_normalised();
    if (computed && src_buffer_ == training_space::none) src_buffer_ = space.add(src_.shape);
    if (computed) space.acquire(src_buffer_);
    space.acquire(dst_);
    space.release(src_buffer_);
  }
  /// `first`: not computed again for the backward pass, when the statistics are known.
  void forward(const training_pass<B>& pass, bool first) const {
    const tensor_view dst = pass.at(dst_, layer_.dst_shape());
    read_forward(pass, dst);
    if (!first) return;
    if (of_batch_) pass.on.batch_statistics(dst, mean(pass), variance(pass), pass.scratch);
    const layer_tensors& l = layer_.layer();
    pass.on.prepare_norm(of_batch_ ? mean(pass) : tensors_->value(l.running_mean),
                         of_batch_ ? variance(pass) : tensors_->value(l.running_var),
                         tensors_->value(l.bn_weight), tensors_->value(l.bn_bias), eps_, channels(),
                         constants(pass));
  }

  void plan_backward(training_space& space) {
    diff_dst_ = space.diff(dst_);
    const bool owned = space.owns_diff(dst_);
    diff_result_ = owned ? diff_dst_ : space.acquire(layer_.dst_shape());
    if (!owned) space.drop_diff(dst_);
    space.release(diff_pool_);
    space.release(gate_sums_);
    space.release(dst_);
    if (layer_.trained() && !src_.stored() && !layer_.weights_read_normalised()) {
      diff_src_buffer_ = space.acquire(src_.shape);
      space.release(diff_src_buffer_);
    }
    if (layer_.has_diff_src()) {
      adds_ = space.diff(src_.tensor) != training_space::none;
      diff_src_ = space.acquire(src_.shape);
      if (adds_) {
        diff_sum_ = space.diff(src_.tensor);
        space.release(diff_src_);
      } else {
        space.set_diff(src_.tensor, diff_src_);
      }
    }
    if (owned)
      space.drop_diff(dst_);
    else
      space.release(diff_result_);
  }

  void backward(const training_pass<B>& pass) const {
    const shape4 shape = layer_.dst_shape();
    const tensor_view diff = pass.at(diff_result_, shape);
    const float* diff_dst =
        diff_dst_ == training_space::none ? nullptr : pass.at(diff_dst_, shape).data;
    const float* diff_pool = diff_pool_ == training_space::none
                                 ? nullptr
                                 : pass.at(diff_pool_, {shape.n, 1, 1, shape.c}).data;
    const float* gate_sums = gate_sums_ == training_space::none
                                 ? nullptr
                                 : pass.at(gate_sums_, {shape.n, 1, 4, shape.c}).data;
    const layer_tensors& l = layer_.layer();
    pass.on.normalise_backward(result(pass), diff_dst, diff_pool, gate_sums, of_batch_, diff,
                               tensors_->gradient_at(l.bn_weight), tensors_->gradient_at(l.bn_bias),
                               pass.scratch);
    if (layer_.trained()) backward_weights(pass, diff);
    if (!layer_.has_diff_src()) return;
    const tensor_view diff_src = pass.at(diff_src_, src_.shape);
    layer_.backward_data(pass, diff, diff_src);
    if (!adds_) return;
    const tensor_view sum = pass.at(diff_sum_, src_.shape);
    pass.on.add_forward(sum, diff_src, sum);
  }

  /// Moves the running statistics towards those of the batch.
  void move_statistics(const training_pass<B>& pass, float momentum, running_variance rule) const {
    if (!of_batch_) return;
    const layer_tensors& l = layer_.layer();
    const std::size_t pixels = layer_.dst_shape().elements() / static_cast<std::size_t>(channels());
    pass.on.move_statistics(mean(pass), variance(pass), pixels, channels(), momentum, rule,
                            tensors_->value(l.running_mean), tensors_->value(l.running_var));
  }

  /// Whether the statistics of the last batch are numbers.
  bool finite(const training_pass<B>& pass, std::vector<float>& host) const {
    if (!of_batch_) return true;
    host.resize(2 * static_cast<std::size_t>(channels()));
    pass.on.download(mean(pass), host.data(), host.size() * sizeof(float));
    return std::all_of(host.begin(), host.end(), [](float x) { return std::isfinite(x); });
  }

 private:
  void read_forward(const training_pass<B>& pass, tensor_view dst) const {
    if constexpr (reads_normalised_sources<B>)
      if (layer_.reads_normalised()) return layer_.forward(pass, src_.unit->result(pass), dst);
    layer_.forward(pass, materialise(pass, src_, src_buffer_, src_external_), dst);
  }
  void backward_weights(const training_pass<B>& pass, const_tensor_view diff) const {
    if constexpr (reads_normalised_sources<B>)
      if (layer_.weights_read_normalised())
        return layer_.backward_weights(pass, src_.unit->result(pass), diff);
    layer_.backward_weights(pass, materialise(pass, src_, diff_src_buffer_, src_external_), diff);
  }

  float* mean(const training_pass<B>& pass) const { return pass.statistics + statistics_; }
  float* variance(const training_pass<B>& pass) const { return mean(pass) + channels(); }
  float* constants(const training_pass<B>& pass) const { return variance(pass) + channels(); }

  trained_layer<B> layer_;
  training_value<B> src_;
  bool src_external_;
  activation act_;
  int dst_;
  bool of_batch_;  // statistics of the batch, not the running ones
  float eps_;
  const trained_tensors<B>* tensors_;
  std::size_t statistics_;  // where they stand among all
  int gate_ = training_space::none, diff_pool_ = training_space::none;
  int gate_sums_ = training_space::none, block_ = -1;
  int src_buffer_ = training_space::none, diff_src_buffer_ = training_space::none;
  int diff_dst_ = training_space::none, diff_result_ = training_space::none;
  int diff_src_ = training_space::none, diff_sum_ = training_space::none;
  bool adds_ = false;
};

}  // namespace effnet
