#pragma once

#include <effnet/backend/training_backend.hpp>
#include <effnet/math/batch_norm.hpp>
#include <effnet/math/loss.hpp>
#include <effnet/math/sum_of_squares.hpp>
#include <effnet/reference/convolution_backward.hpp>
#include <effnet/reference/normalised.hpp>
#include <effnet/reference/reference_backend.hpp>

namespace effnet {

/// The judge of every other backend's gradients: each op as its definition says, on one thread.
class reference_training_backend : public reference_backend {
 public:
  using packed_backward = reference::packed_weights;
  using conv_backward_data_op = reference::convolution_backward_data;
  using conv_backward_weights_op = reference::convolution_backward_weights;

  reference_training_backend with_threads(int) const { return *this; }

  conv_backward_data_op plan_conv_backward_data(const conv_problem& problem) const {
    return conv_backward_data_op(problem);
  }
  conv_backward_weights_op plan_conv_backward_weights(const conv_problem& problem, bool) const {
    return conv_backward_weights_op(problem);
  }
  void conv_backward_data(const conv_backward_data_op& op, const packed_backward& weights,
                          const_tensor_view diff_dst, tensor_view diff_src, std::byte*) const {
    op.run(weights, diff_dst.data, diff_src.data);
  }
  void conv_backward_weights(const conv_backward_weights_op& op, const_tensor_view src,
                             const_tensor_view diff_dst, float* diff_oihw, float* diff_bias,
                             std::byte*) const {
    op.run(src.data, diff_dst.data, diff_oihw, diff_bias);
  }

  std::size_t norm_scratch_bytes(const shape4&) const { return 0; }
  void batch_statistics(const_tensor_view src, float* mean, float* variance, std::byte*) const {
    reference::batch_statistics(src, mean, variance);
  }
  void prepare_norm(const float* mean, const float* variance, const float* weight,
                    const float* bias, float eps, int channels, float* constants) const {
    math::fill_norm_constants(mean, variance, weight, bias, eps, channels, constants);
  }
  void move_statistics(const float* mean, const float* variance, std::size_t pixels, int channels,
                       float momentum, running_variance rule, float* running_mean,
                       float* running_var) const {
    math::move_statistics(
        mean, variance,
        rule == running_variance::unbiased ? math::unbiased_correction(pixels) : 1.0, channels,
        momentum, running_mean, running_var);
  }
  void normalise_forward(const normalised& what, const float* residual, tensor_view dst) const {
    reference::normalise_forward(what, residual, dst);
  }
  void normalise_pool(const normalised& what, tensor_view dst) const {
    reference::normalise_pool(what, dst);
  }
  void gate_backward(const normalised& what, const_tensor_view diff_dst, tensor_view diff_gate,
                     float*) const {
    reference::gate_backward(what, diff_dst, diff_gate);
  }
  void normalise_backward(const normalised& what, const float* diff_dst, const float* diff_pool,
                          const float*, bool of_batch, tensor_view diff_src, float* diff_weight,
                          float* diff_bias, std::byte*) const {
    reference::normalise_backward(what, diff_dst, diff_pool, of_batch, diff_src, diff_weight,
                                  diff_bias);
  }

  void activation_backward(activation act, const_tensor_view src, const_tensor_view diff_dst,
                           tensor_view diff_src) const {
    reference::activation_backward(act, src, diff_dst, diff_src);
  }
  void max_pool_backward(const max_pool_problem& problem, const_tensor_view src,
                         const_tensor_view diff_dst, tensor_view diff_src) const {
    reference::max_pool_backward(problem, src, diff_dst, diff_src);
  }
  double loss_backward(loss_kind kind, const_tensor_view logits, const float* targets,
                       float smoothing, const float* class_weights, tensor_view diff_logits) const {
    const auto loss_of =
        kind == loss_kind::softmax ? math::softmax_cross_entropy : math::sigmoid_cross_entropy;
    const int classes = logits.shape.c, images = logits.shape.n;
    double sum = 0;
    for (std::size_t i = 0; i < logits.shape.elements(); i += static_cast<std::size_t>(classes))
      sum += loss_of(logits.data + i, targets + i, classes, smoothing, class_weights,
                     diff_logits.data + i);
    for (std::size_t i = 0; i < logits.shape.elements(); ++i)
      diff_logits.data[i] /= static_cast<float>(images);
    return sum / images;
  }

  static constexpr bool host_memory = true;
  template <class Body>
  void for_each_piece(std::size_t count, const Body& body) const {
    for (std::size_t piece = 0; piece < count; ++piece) body(piece, std::size_t{0}, std::size_t{1});
  }
  void squares_of_runs(const float_run* runs, std::size_t count, double* sums) const {
    for (std::size_t k = 0; k < count; ++k)
      sums[k] = math::sum_of_squares(runs[k].data, runs[k].count);
  }
};

static_assert(training_backend<reference_training_backend>);

}  // namespace effnet
