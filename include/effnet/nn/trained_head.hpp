#pragma once

#include <effnet/nn/conv_norm.hpp>

namespace effnet {

/// The end of a network in training: mean over pixels, dropout, classifier.
template <training_backend B>
class trained_head {
 public:
  trained_head(training_builder<B>& build, const training_value<B>& src)
      : src_(src),
        pooled_shape_{src.shape.n, 1, 1, src.shape.c},
        pooled_(build.space.add_rows(pooled_shape_)),
        dropped_(build.space.add_rows(pooled_shape_)),
        classifier_(build, layer_role::classifier, pooled_shape_, src.differentiable),
        logits_(build.space.add_rows(classifier_.dst_shape())),
        diff_logits_(build.space.add_rows(classifier_.dst_shape())),
        identity_(build.statistics),
        mask_(identity_ + norm_constants::rows * channels()) {
    build.statistics = mask_ + pooled_shape_.elements();
    build.scratch(build.on.norm_scratch_bytes(src.shape));
  }

  const shape4& pooled_shape() const { return pooled_shape_; }
  shape4 logits_shape() const { return classifier_.dst_shape(); }
  const_tensor_view logits(const training_pass<B>& pass) const {
    return pass.at(logits_, classifier_.dst_shape());
  }
  tensor_view diff_logits(const training_pass<B>& pass) const {
    return pass.at(diff_logits_, classifier_.dst_shape());
  }
  /// Where dropout's factors go: 0 or 1 / (1 - probability), one a feature and image.
  float* mask(const training_pass<B>& pass) const { return pass.statistics + mask_; }

  /// Writes the constants that leave a value as it is; once, into fresh memory.
  void prepare(const training_pass<B>& pass) const {
    const std::vector<float> zeros(channels(), 0.0f), ones(channels(), 1.0f);
    const std::vector<float>* rows[] = {&zeros, &ones, &ones, &zeros};  // as in norm_constants
    for (std::size_t i = 0; i < norm_constants::rows; ++i)
      pass.on.upload(rows[i]->data(), pass.statistics + identity_ + i * channels(),
                     channels() * sizeof(float));
  }

  void plan_forward(training_space& space) {
    for (int id : {pooled_, dropped_, logits_}) space.acquire(id);
  }
  void forward(const training_pass<B>& pass, bool drops) const {
    const tensor_view pooled = pass.at(pooled_, pooled_shape_);
    pass.on.normalise_pool(source(pass), pooled);
    if (drops)
      pass.on.scale_channels_forward(pooled, {mask(pass), pooled_shape_},
                                     pass.at(dropped_, pooled_shape_));
    classifier_.forward(pass, features(pass, drops), pass.at(logits_, classifier_.dst_shape()));
  }

  void plan_backward(training_space& space) {
    space.acquire(diff_logits_);
    if (!src_.differentiable) return;
    diff_pooled_ = space.acquire_rows(pooled_shape_);
    if (src_.unit != nullptr) {
      src_.unit->set_diff_pool(diff_pooled_);
    } else {
      diff_src_ = space.acquire(src_.shape);
      space.set_diff(src_.tensor, diff_src_);
      space.release(diff_pooled_);
    }
    for (int id : {diff_logits_, pooled_, dropped_}) space.release(id);
  }
  /// From the gradient of the logits on.
  void backward(const training_pass<B>& pass, bool drops) const {
    const const_tensor_view diff = diff_logits(pass);
    classifier_.backward_weights(pass, features(pass, drops), diff);
    if (!src_.differentiable) return;
    const tensor_view diff_pooled = pass.at(diff_pooled_, pooled_shape_);
    classifier_.backward_data(pass, diff, diff_pooled);
    if (drops)
      pass.on.scale_channels_forward(diff_pooled, {mask(pass), pooled_shape_}, diff_pooled);
    if (src_.unit != nullptr) return;  // its batch norm takes the gradient of the mean as it is
    normalised plain = source(pass);
    plain.act = activation::identity;  // the sum in front applies the activation's derivative
    pass.on.normalise_backward(plain, nullptr, diff_pooled.data, nullptr, false,
                               pass.at(diff_src_, src_.shape), nullptr, nullptr, pass.scratch);
  }

 private:
  std::size_t channels() const { return static_cast<std::size_t>(pooled_shape_.c); }

  normalised source(const training_pass<B>& pass) const {
    if (src_.unit != nullptr) return src_.unit->result(pass);
    return {.src = pass.at(src_.tensor, src_.shape),
            .constants = {pass.statistics + identity_, pooled_shape_.c},
            .act = src_.act};
  }
  const_tensor_view features(const training_pass<B>& pass, bool drops) const {
    return pass.at(drops ? dropped_ : pooled_, pooled_shape_);
  }

  training_value<B> src_;
  shape4 pooled_shape_;
  int pooled_, dropped_;
  trained_layer<B> classifier_;
  int logits_, diff_logits_;
  std::size_t identity_, mask_;  // floats among the statistics
  int diff_pooled_ = training_space::none, diff_src_ = training_space::none;
};

}  // namespace effnet
