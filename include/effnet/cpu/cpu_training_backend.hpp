#pragma once

#include <vector>

#include <effnet/backend/training_backend.hpp>
#include <effnet/cpu/batch_parts.hpp>
#include <effnet/cpu/cpu_backend.hpp>
#include <effnet/cpu/max_pool_backward.hpp>
#include <effnet/cpu/normalised.hpp>
#include <effnet/math/batch_norm.hpp>
#include <effnet/math/loss.hpp>
#include <effnet/math/sum_of_squares.hpp>

namespace effnet {

/// The CPU backend with what training adds. For a number of threads the same numbers come out every
/// time; a deterministic one gives the same for any number of threads, at the price of convolutions
/// that run image by image, in up to eight parts of a batch.
class cpu_training_backend : public cpu_backend {
 public:
  using conv = cpu::convolution_of_parts;
  using packed_backward = cpu::packed_weights;
  using conv_backward_data_op = cpu::data_gradient_of_parts;
  using conv_backward_weights_op = cpu::weight_gradient_of_parts;

  cpu_training_backend() = default;
  /// 0 threads: as many as OpenMP would use.
  explicit cpu_training_backend(int threads, bool deterministic = false,
                                const cpu_options& options = {})
      : cpu_backend(threads, options), deterministic_(deterministic) {}
  cpu_training_backend with_threads(int threads) const {
    return cpu_training_backend(threads > 0 ? threads : this->threads(), deterministic_, options());
  }
  bool deterministic() const { return deterministic_; }

  conv plan_conv(const conv_problem& problem, const epilogue& then = {}) const {
    return conv(problem, then, options(), deterministic_);
  }
  void conv_forward(const conv& op, const packed& weights, const_tensor_view src, tensor_view dst,
                    std::byte* scratch) const {
    op.forward(weights, src.data, dst.data, scratch);
  }
  /// Those that may read a source that is still to be normalised, as `reads_normalised` tells.
  conv plan_conv_of_normalised(const conv_problem& problem) const {
    return conv(problem, {}, options(), deterministic_, true);
  }
  conv_backward_weights_op plan_conv_backward_weights_of_normalised(const conv_problem& problem,
                                                                    bool bias) const {
    return conv_backward_weights_op(problem, bias, options(), deterministic_, true);
  }
  void conv_forward(const conv& op, const packed& weights, const normalised& src, tensor_view dst,
                    std::byte* scratch) const {
    op.forward(weights, src, dst.data, scratch);
  }
  void conv_backward_weights(const conv_backward_weights_op& op, const normalised& src,
                             const_tensor_view diff_dst, float* diff_oihw,
                             std::byte* scratch) const {
    op.run(src, diff_dst.data, diff_oihw, scratch);
  }
  conv_backward_data_op plan_conv_backward_data(const conv_problem& problem) const {
    return conv_backward_data_op(problem, options(), deterministic_);
  }
  conv_backward_weights_op plan_conv_backward_weights(const conv_problem& problem,
                                                      bool bias) const {
    return conv_backward_weights_op(problem, bias, options(), deterministic_);
  }
  void conv_backward_data(const conv_backward_data_op& op, const packed_backward& weights,
                          const_tensor_view diff_dst, tensor_view diff_src,
                          std::byte* scratch) const {
    op.run(weights, diff_dst.data, diff_src.data, scratch);
  }
  void conv_backward_weights(const conv_backward_weights_op& op, const_tensor_view src,
                             const_tensor_view diff_dst, float* diff_oihw, float* diff_bias,
                             std::byte* scratch) const {
    op.run(src.data, diff_dst.data, diff_oihw, diff_bias, scratch);
  }

  std::size_t norm_scratch_bytes(const shape4& shape) const {
    return cpu::norm_scratch_bytes(shape);
  }
  void batch_statistics(const_tensor_view src, float* mean, float* variance,
                        std::byte* scratch) const {
    cpu::batch_statistics(src, mean, variance, scratch);
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
    cpu::normalise_forward(what, residual, dst);
  }
  void normalise_pool(const normalised& what, tensor_view dst) const {
    cpu::normalise_pool(what, dst);
  }
  void gate_backward(const normalised& what, const_tensor_view diff_dst, tensor_view diff_gate,
                     float* sums) const {
    cpu::gate_backward(what, diff_dst, diff_gate, sums);
  }
  void normalise_backward(const normalised& what, const float* diff_dst, const float* diff_pool,
                          const float* gate_sums, bool of_batch, tensor_view diff_src,
                          float* diff_weight, float* diff_bias, std::byte* scratch) const {
    cpu::normalise_backward(what, diff_dst, diff_pool, gate_sums, of_batch, diff_src, diff_weight,
                            diff_bias, scratch);
  }

  void activation_backward(activation act, const_tensor_view src, const_tensor_view diff_dst,
                           tensor_view diff_src) const {
    cpu::activation_backward(act, src, diff_dst, diff_src);
  }
  void max_pool_backward(const max_pool_problem& problem, const_tensor_view src,
                         const_tensor_view diff_dst, tensor_view diff_src) const {
    cpu::max_pool_backward(problem, src, diff_dst, diff_src);
  }
  double loss_backward(loss_kind kind, const_tensor_view logits, const float* targets,
                       float smoothing, const float* class_weights, tensor_view diff_logits) const {
    const auto loss_of =
        kind == loss_kind::softmax ? math::softmax_cross_entropy : math::sigmoid_cross_entropy;
    const std::size_t width = static_cast<std::size_t>(logits.shape.c);
    std::vector<double> losses(static_cast<std::size_t>(logits.shape.n));
    cpu::parallel_ranges(losses.size(), 32 * width, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        float* diff = diff_logits.data + i * width;
        losses[i] = loss_of(logits.data + i * width, targets + i * width, logits.shape.c, smoothing,
                            class_weights, diff);
        for (std::size_t k = 0; k < width; ++k) diff[k] /= static_cast<float>(losses.size());
      }
    });
    double sum = 0;  // in order, whichever threads they come from
    for (const double loss : losses) sum += loss;
    return sum / static_cast<double>(losses.size());
  }

  static constexpr bool host_memory = true;
  template <class Body>
  void for_each_piece(std::size_t count, const Body& body) const {
    cpu::parallel_items(count, [&](std::size_t, std::size_t piece) {
      body(piece, std::size_t{0}, std::size_t{1});
    });
  }
  void squares_of_runs(const float_run* runs, std::size_t count, double* sums) const {
    cpu::parallel_items(count, [&](std::size_t, std::size_t k) {
      sums[k] = math::sum_of_squares(runs[k].data, runs[k].count);
    });
  }

 private:
  bool deterministic_ = false;
};

static_assert(reads_normalised_sources<cpu_training_backend>);

}  // namespace effnet
