#pragma once

#include <concepts>
#include <cstddef>

#include <effnet/backend/backend.hpp>
#include <effnet/backend/normalised.hpp>

namespace effnet {

/// How a batch moves the running variance. PyTorch and TensorFlow's fused kernel take the unbiased
/// variance of the batch (count / (count - 1)), TensorFlow on TPU the biased one.
enum class running_variance { unbiased, biased };

/// What a network is trained to make small, averaged over the images of a batch.
enum class loss_kind {
  softmax,  ///< cross-entropy against one distribution over the classes an image
  sigmoid,  ///< a yes or no for every class, summed (ImageNet-21k)
};

/// Numbers next to each other.
struct float_run {
  const float* data;
  std::size_t count;
};

/// The ops that training adds to those of `backend`, written once. Gradients are overwritten, never
/// added to. `scratch` is as large as the op's `scratch_bytes()`, or `norm_scratch_bytes(shape)`.
///
/// convolution
///   conv::repack(oihw, bias, packed)            changed weights into what `pack` made
///   plan_conv_backward_data(problem) -> op      scratch_bytes(), layout(), pack, repack as `conv`,
///                                               with weights alone, which stay where they are
///                                               until the op has run: they may be read there
///   plan_conv_backward_weights(problem, bias) -> op    scratch_bytes()
///   conv_backward_data(op, packed, diff_dst, diff_src, scratch)
///   conv_backward_weights(op, src, diff_dst, diff_oihw, diff_bias, scratch)    diff_bias is null
///                                               where it was planned without
/// batch norm, with what follows it (`normalised`)
///   batch_statistics(src, mean, variance, scratch)     the biased variance, over n, h, w
///   prepare_norm(mean, variance, weight, bias, eps, channels, constants)    fills all four rows
///   move_statistics(mean, variance, pixels, channels, momentum, rule, running_mean, running_var)
///                                               running += momentum * (batch - running)
///   normalise_forward(what, residual, dst)      dst = what + residual (null: 0); dst may be
///                                               residual
///   normalise_pool(what, dst)                   mean over h, w into [n,1,1,c]; no gate, no keep
///   gate_backward(what, diff_dst, diff_gate, sums)    diff_gate[n,c] = sum over h, w of
///                                               diff_dst * keep * act(...); sums, [n,1,4,c],
///                                               are the backend's to leave what it has summed up
///   normalise_backward(what, diff_dst, diff_pool, gate_sums, of_batch, diff_src, diff_weight,
///                      diff_bias, scratch)      with g = (diff_dst * gate * keep + diff_pool / (h
///                      w))
///     * act'(scale * src + shift) and x = (src - mean) * inverse: diff_bias = sum g, diff_weight =
///     sum g x, diff_src = scale * (g - (diff_bias + x diff_weight) / (n h w)), or scale * g unless
///     the statistics are `of_batch`. Either of diff_dst and diff_pool ([n,1,1,c]) may be null, not
///     both. diff_src may be diff_dst, not src. diff_weight and diff_bias may both be null unless
///     `of_batch`. gate_sums: what gate_backward left for the same src and diff_dst, or null.
/// others
///   activation_backward(act, src, diff_dst, diff_src)        in place allowed
///   max_pool_backward(problem, src, diff_dst, diff_src)
///   loss_backward(kind, logits, targets, smoothing, class_weights, diff_logits) -> mean loss
///     over images; targets [n, classes] rows that sum to 1 (softmax) or lie in [0, 1] (sigmoid);
///     class_weights: one a class, or null; diff_logits is the gradient of the mean
/// for optimizers, on what lies in the backend's memory
///   host_memory                                 whether the processor reaches that memory
///   for_each_piece(count, body)                 body(piece, lane, lanes) for every piece below
///                                               count, by `lanes` threads that share it, numbered
///                                               from 0; a copy of body runs where the memory is
///   squares_of_runs(runs, count, sums)          sums[k]: the squares of runs[k], in double, added
///                                               up in the same order every time
template <class B>
concept training_backend = backend<B> &&
    requires(const B be, const typename B::conv conv, typename B::packed packed,
             const typename B::conv_backward_data_op by_data,
             typename B::packed_backward packed_backward,
             const typename B::conv_backward_weights_op by_weights, const conv_problem& problem,
             const max_pool_problem& pool, const normalised& what, const const_tensor_view src,
             const tensor_view dst, const float* host, float* to, std::byte* scratch,
             const float_run* runs, double* sums,
             void (*body)(std::size_t, std::size_t, std::size_t)) {
  conv.repack(host, host, packed);
  { be.plan_conv_backward_data(problem) } -> std::same_as<typename B::conv_backward_data_op>;
  { by_data.scratch_bytes() } -> std::same_as<std::size_t>;
  { by_data.layout() == by_data.layout() } -> std::convertible_to<bool>;
  { by_data.pack(host) } -> std::same_as<typename B::packed_backward>;
  by_data.repack(host, packed_backward);
  be.conv_backward_data(by_data, packed_backward, src, dst, scratch);
  {
    be.plan_conv_backward_weights(problem, bool{})
    } -> std::same_as<typename B::conv_backward_weights_op>;
  { by_weights.scratch_bytes() } -> std::same_as<std::size_t>;
  be.conv_backward_weights(by_weights, src, src, to, to, scratch);

  { be.norm_scratch_bytes(shape4{}) } -> std::same_as<std::size_t>;
  be.batch_statistics(src, to, to, scratch);
  be.prepare_norm(host, host, host, host, float{}, int{}, to);
  be.move_statistics(host, host, std::size_t{}, int{}, float{}, running_variance::biased, to, to);
  be.normalise_forward(what, host, dst);
  be.normalise_pool(what, dst);
  be.gate_backward(what, src, dst, to);
  be.normalise_backward(what, host, host, host, bool{}, dst, to, to, scratch);

  be.activation_backward(activation::silu, src, src, dst);
  be.max_pool_backward(pool, src, src, dst);
  { be.loss_backward(loss_kind::softmax, src, host, float{}, host, dst) } -> std::same_as<double>;
  { B::host_memory } -> std::convertible_to<bool>;
  be.for_each_piece(std::size_t{}, body);
  be.squares_of_runs(runs, std::size_t{}, sums);
};

/// A training backend that can record a step. The loss of each image stays in its memory, for a
/// graph cannot hand numbers over.
///   losses_backward(kind, logits, targets, smoothing, class_weights, diff_logits, losses)
///                                      `loss_backward`, which leaves the losses of the images
///   mean_loss(losses, images)          their mean, which `loss_backward` returns
template <class B>
concept records_steps = training_backend<B> && records_graphs<B> &&
    requires(const B be, const const_tensor_view src, const tensor_view dst, const float* from,
             float* to) {
  be.losses_backward(loss_kind::softmax, src, from, float{}, from, dst, to);
  { be.mean_loss(from, int{}) } -> std::same_as<double>;
};

/// A training backend whose convolutions may normalise their source themselves: one pass over
/// memory less, forward and backward, and no room for it.
///   plan_conv_of_normalised(problem) -> conv
///   plan_conv_backward_weights_of_normalised(problem, bias) -> op
///   conv, op: reads_normalised()       whether it does; else it is as if planned without
///   conv_forward(conv, packed, normalised, dst, scratch)
///   conv_backward_weights(op, normalised, diff_dst, diff_oihw, scratch)
template <class B>
concept reads_normalised_sources = training_backend<B> &&
    requires(const B be, const typename B::conv conv, const typename B::packed packed,
             const typename B::conv_backward_weights_op by_weights, const conv_problem& problem,
             const normalised& what, const const_tensor_view src, const tensor_view dst, float* to,
             std::byte* scratch) {
  { be.plan_conv_of_normalised(problem) } -> std::same_as<typename B::conv>;
  {
    be.plan_conv_backward_weights_of_normalised(problem, bool{})
    } -> std::same_as<typename B::conv_backward_weights_op>;
  { conv.reads_normalised() } -> std::same_as<bool>;
  { by_weights.reads_normalised() } -> std::same_as<bool>;
  be.conv_forward(conv, packed, what, dst, scratch);
  be.conv_backward_weights(by_weights, what, src, to, scratch);
};

}  // namespace effnet
