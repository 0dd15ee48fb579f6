#pragma once

#include <memory>
#include <optional>

#include <effnet/nn/training_builder.hpp>

namespace effnet {

/// A convolution or fully connected layer with its gradients, planned for one shape.
template <training_backend B>
class trained_layer {
 public:
  /// `diff_src`: whether the gradient of the source is wanted. `normalised_src`: whether the source
  /// is still to be normalised.
  trained_layer(training_builder<B>& build, layer_role role, shape4 src, bool diff_src,
                bool normalised_src = false)
      : index_(build.take(role)),
        tensors_(&build.tensors),
        problem_(problem_of(layer().what, build.rule.padding, src)),
        forward_(planned(build.on, problem_, normalised_src)) {
    build.scratch(forward_.scratch_bytes());
    weights_ = build.packed.forward.find(index_, forward_, [&] {
      return forward_.pack(tensors_->value(layer().weight), tensors_->value(layer().bias));
    });
    build.versions.push_back(&weights_->version);
    if (trained()) {
      by_weights_.emplace(
          planned_by_weights(build.on, problem_, layer().bias >= 0, normalised_src));
      build.scratch(by_weights_->scratch_bytes());
    }
    if (!diff_src) return;
    by_data_.emplace(build.on.plan_conv_backward_data(problem_));
    build.scratch(by_data_->scratch_bytes());
    weights_by_data_ = build.packed.backward.find(
        index_, *by_data_, [&] { return by_data_->pack(tensors_->value(layer().weight)); });
    build.versions.push_back(&weights_by_data_->version);
  }

  const layer_tensors& layer() const { return tensors_->layers()[index_]; }
  const conv_problem& problem() const { return problem_; }
  shape4 dst_shape() const { return problem_.dst(); }
  bool trained() const { return layer().trained; }
  bool has_diff_src() const { return by_data_.has_value(); }

  /// Whether the forward pass, or the gradient of the weights, normalises the source itself.
  bool reads_normalised() const {
    if constexpr (reads_normalised_sources<B>) return forward_.reads_normalised();
    return false;
  }
  bool weights_read_normalised() const {
    if constexpr (reads_normalised_sources<B>)
      return by_weights_ && by_weights_->reads_normalised();
    return false;
  }

  /// `Source`: const_tensor_view, or `normalised` where that is read.
  template <class Source>
  void forward(const training_pass<B>& pass, const Source& src, tensor_view dst) const {
    if (weights_->version != pass.version) {
      forward_.repack(tensors_->value(layer().weight), tensors_->value(layer().bias),
                      weights_->packed);
      weights_->version = pass.version;
    }
    pass.on.conv_forward(forward_, weights_->packed, src, dst, pass.scratch);
  }

  void backward_weights(const training_pass<B>& pass, const_tensor_view src,
                        const_tensor_view diff_dst) const {
    pass.on.conv_backward_weights(*by_weights_, src, diff_dst,
                                  tensors_->gradient_at(layer().weight),
                                  tensors_->gradient_at(layer().bias), pass.scratch);
  }

  void backward_weights(const training_pass<B>& pass, const normalised& src,
                        const_tensor_view diff_dst) const {
    pass.on.conv_backward_weights(*by_weights_, src, diff_dst,
                                  tensors_->gradient_at(layer().weight), pass.scratch);
  }

  void backward_data(const training_pass<B>& pass, const_tensor_view diff_dst,
                     tensor_view diff_src) const {
    if (weights_by_data_->version != pass.version) {
      by_data_->repack(tensors_->value(layer().weight), weights_by_data_->packed);
      weights_by_data_->version = pass.version;
    }
    pass.on.conv_backward_data(*by_data_, weights_by_data_->packed, diff_dst, diff_src,
                               pass.scratch);
  }

 private:
  static typename B::conv planned(const B& on, const conv_problem& problem, bool normalised_src) {
    if constexpr (reads_normalised_sources<B>)
      if (normalised_src) return on.plan_conv_of_normalised(problem);
    return on.plan_conv(problem);
  }
  static typename B::conv_backward_weights_op planned_by_weights(const B& on,
                                                                 const conv_problem& problem,
                                                                 bool bias, bool normalised_src) {
    if constexpr (reads_normalised_sources<B>)
      if (normalised_src) return on.plan_conv_backward_weights_of_normalised(problem, bias);
    return on.plan_conv_backward_weights(problem, bias);
  }

  using forward_copy = typename trained_copies<typename B::conv, typename B::packed>::copy;
  using backward_copy =
      typename trained_copies<typename B::conv_backward_data_op, typename B::packed_backward>::copy;

  std::size_t index_;
  const trained_tensors<B>* tensors_;
  conv_problem problem_;
  typename B::conv forward_;
  std::optional<typename B::conv_backward_weights_op> by_weights_;
  std::optional<typename B::conv_backward_data_op> by_data_;
  std::shared_ptr<forward_copy> weights_;
  std::shared_ptr<backward_copy> weights_by_data_;
};

}  // namespace effnet
