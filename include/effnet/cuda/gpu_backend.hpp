#pragma once

#include <cmath>
#include <cstring>
#include <string_view>
#include <vector>

#include <effnet/backend/training_backend.hpp>
#include <effnet/cuda/batch_uploads.hpp>
#include <effnet/cuda/element_functions.hpp>
#include <effnet/cuda/gpu_convolution.hpp>
#include <effnet/cuda/gpu_expand_depthwise.hpp>
#include <effnet/cuda/gpu_gradients.hpp>
#include <effnet/cuda/gpu_squeeze_excite.hpp>
#include <effnet/cuda/loss_kernel.hpp>
#include <effnet/cuda/max_pool_functions.hpp>
#include <effnet/cuda/normalised_functions.hpp>
#include <effnet/cuda/piece_kernels.hpp>

namespace effnet::cuda {

/// All ops of inference and training as kernels on a device. Sums, batch norm's statistics, weights
/// and their gradients are in fp32, whatever dense convolutions multiply; with bf16 or fp16
/// products, maps and their gradients are stored in that type too. No sum depends on which thread
/// comes first: the same numbers come out every time.
template <device D>
class gpu_backend {
 public:
  using buffer = typename D::buffer;
  using graph = typename D::graph;
  using conv = gpu_convolution<D>;
  using expand_depthwise = gpu_expand_depthwise<D>;
  using squeeze_excite = gpu_squeeze_excite<D>;
  using packed = packed_weights<D>;
  using packed_backward = packed_weights<D>;
  using batch_uploads = cuda::batch_uploads<D>;
  using conv_backward_data_op = gpu_data_gradient<D>;
  using conv_backward_weights_op = gpu_weight_gradient<D>;

  gpu_backend() = default;
  /// Throws `backend_error` where the device cannot multiply so.
  explicit gpu_backend(products of, const gpu_options& options = {})
      : gpu_backend(D(), of, options) {}
  explicit gpu_backend(D on, products of = products::fp32, const gpu_options& options = {})
      : on_(std::move(on)), products_(of), options_(options) {
    on_.require(of);
  }

  static constexpr std::string_view name() { return D::name(); }
  dtype map_type() const { return type_of(products_); }
  /// The processor's, which only start kernels.
  int threads() const { return 1; }
  gpu_backend with_threads(int) const { return *this; }
  struct scope {
    ~scope() {}
  };
  scope enter() const { return {}; }
  void upload(const float* host, float* memory, std::size_t bytes) const {
    on_.upload(host, memory, bytes);
  }
  void download(const float* memory, float* host, std::size_t bytes) const {
    on_.download(memory, host, bytes);
  }
  /// Until all calls so far are done.
  void wait() const { on_.wait(); }
  void copy(const float* from, float* to, std::size_t bytes) const { on_.copy(from, to, bytes); }

  /// The same backend whose passes are recorded as graphs, as they are at first, or are not: for a
  /// profiler that is to see every op start by itself, or a debugger.
  gpu_backend with_graphs(bool graphs) const {
    gpu_backend other = *this;
    other.options_.graphs = graphs;
    return other;
  }
  bool records() const { return options_.graphs; }
  template <class Body>
  graph record(const Body& body) const {
    return on_.record(body);
  }
  void replay(const graph& recorded) const { on_.replay(recorded); }

  conv plan_conv(const conv_problem& problem, const epilogue& then = {}) const {
    return conv(on_, problem, then, products_, options_);
  }
  void conv_forward(const conv& op, const packed& weights, const_tensor_view src, tensor_view dst,
                    std::byte*) const {
    op.forward(weights, src, dst);
  }
  conv plan_gated_conv(const conv_problem& problem, const epilogue& then) const {
    return conv(on_, problem, then, products_, {.libraries = false});
  }
  void conv_forward_gated(const conv& op, const packed& weights, const_tensor_view src,
                          const_tensor_view gate, tensor_view dst, std::byte*) const {
    op.forward(weights, src, dst, gate.data);
  }
  expand_depthwise plan_expand_depthwise(const conv_problem* expand, const conv_problem& depthwise,
                                         activation act) const {
    std::optional<conv> first;
    if (expand != nullptr) first = plan_conv(*expand, {.before = act});
    return {std::move(first), plan_conv(depthwise, {.before = act}), depthwise.src, map_type()};
  }
  void expand_depthwise_forward(const expand_depthwise& op, const packed* expand,
                                const packed& depthwise, const_tensor_view src, tensor_view dst,
                                float* means, std::byte* scratch) const {
    op.run(expand, depthwise, src, dst, means, scratch);
  }

  squeeze_excite plan_squeeze_excite(const conv_problem& squeeze, const conv_problem& excite,
                                     activation act) const {
    return {on_, squeeze, excite, act};
  }
  void squeeze_excite_forward(const squeeze_excite& op, const packed& squeeze, const packed& excite,
                              const_tensor_view means, tensor_view gate) const {
    op.run(squeeze, excite, means.data, gate.data);
  }

  conv_backward_data_op plan_conv_backward_data(const conv_problem& problem) const {
    return conv_backward_data_op(on_, problem, products_, options_);
  }
  conv_backward_weights_op plan_conv_backward_weights(const conv_problem& problem,
                                                      bool bias) const {
    return conv_backward_weights_op(on_, problem, bias, products_, options_);
  }
  void conv_backward_data(const conv_backward_data_op& op, const packed_backward& weights,
                          const_tensor_view diff_dst, tensor_view diff_src, std::byte*) const {
    op.run(weights, diff_dst, diff_src);
  }
  void conv_backward_weights(const conv_backward_weights_op& op, const_tensor_view src,
                             const_tensor_view diff_dst, float* diff_oihw, float* diff_bias,
                             std::byte* scratch) const {
    op.run(src, diff_dst, diff_oihw, diff_bias, scratch);
  }

  void activation_forward(activation act, const_tensor_view src, tensor_view dst) const {
    check_types(src.type, dst.type);
    with_stored_type(dst.type, [&]<class T>() {
      on_.for_each_index(src.shape.elements(),
                         activate_elements<T>{act, span_of<T>(src), span_of<T>(dst)});
    });
  }
  void activation_backward(activation act, const_tensor_view src, const_tensor_view diff_dst,
                           tensor_view diff_src) const {
    check_types(src.type, diff_src.type);
    check_types(diff_dst.type, diff_src.type);
    with_trained_type(diff_src.type, [&]<class T>() {
      on_.for_each_index(
          src.shape.elements(),
          activation_gradient<T>{act, span_of<T>(src), span_of<T>(diff_dst), span_of<T>(diff_src)});
    });
  }
  void add_forward(const_tensor_view a, const_tensor_view b, tensor_view dst) const {
    check_types(a.type, dst.type);
    check_types(b.type, dst.type);
    with_stored_type(dst.type, [&]<class T>() {
      on_.for_each_index(a.shape.elements(),
                         add_elements<T>{span_of<T>(a), span_of<T>(b), span_of<T>(dst)});
    });
  }
  void scale_channels_forward(const_tensor_view src, const_tensor_view gate,
                              tensor_view dst) const {
    check_types(src.type, dst.type);
    with_stored_type(dst.type, [&]<class T>() {
      run_for_each_channel(on_, src.shape,
                           scale_channels<T>{static_cast<std::size_t>(src.shape.c), span_of<T>(src),
                                             span_of<float>(gate), span_of<T>(dst)});
    });
  }
  void global_pool_forward(const_tensor_view src, tensor_view dst) const {
    const temporary partial(on_, channel_sum_floats(src.shape, true, 1));
    with_stored_type(src.type, [&]<class T>() {
      run_channel_sums(on_, src.shape, true, element_sums<T>{span_of<T>(src)},
                       mean_of(src.shape, dst), partial.data());
    });
  }
  void max_pool_forward(const max_pool_problem& problem, const_tensor_view src,
                        tensor_view dst) const {
    check_types(src.type, dst.type);
    with_stored_type(dst.type, [&]<class T>() {
      run_for_each_channel(on_, dst.shape,
                           max_pool_elements<T>{{problem, span_of<T>(src)}, span_of<T>(dst)});
    });
  }
  void max_pool_backward(const max_pool_problem& problem, const_tensor_view src,
                         const_tensor_view diff_dst, tensor_view diff_src) const {
    check_types(src.type, diff_src.type);
    check_types(diff_dst.type, diff_src.type);
    with_trained_type(diff_src.type, [&]<class T>() {
      run_for_each_channel(
          on_, src.shape,
          max_pool_gradient<T>{
              {problem, span_of<T>(src)}, span_of<T>(diff_dst), span_of<T>(diff_src)});
    });
  }

  /// Two rows of a number a channel stand behind the sums.
  std::size_t norm_scratch_bytes(const shape4& shape) const {
    return (norm_sum_floats(shape) + 2 * static_cast<std::size_t>(shape.c)) * sizeof(float);
  }
  void batch_statistics(const_tensor_view src, float* mean, float* variance,
                        std::byte* scratch) const {
    const auto channels = static_cast<std::size_t>(src.shape.c);
    with_trained_type(src.type, [&]<class T>() {
      const auto from = span_of<T>(src);
      run_channel_sums(
          on_, src.shape, false, statistics_sums<T>{from},
          finish_statistics<T>{pixels_of(src.shape), from, {mean, channels}, {variance, channels}},
          reinterpret_cast<float*>(scratch));
    });
  }
  void prepare_norm(const float* mean, const float* variance, const float* weight,
                    const float* bias, float eps, int channels, float* constants) const {
    const auto c = static_cast<std::size_t>(channels);
    on_.for_each_index(c, cuda::fill_norm_constants{eps,
                                                    channels,
                                                    {mean, c},
                                                    {variance, c},
                                                    {weight, c},
                                                    {bias, c},
                                                    {constants, norm_constants::rows * c}});
  }
  void move_statistics(const float* mean, const float* variance, std::size_t pixels, int channels,
                       float momentum, running_variance rule, float* running_mean,
                       float* running_var) const {
    const auto c = static_cast<std::size_t>(channels);
    const double correction =
        rule == running_variance::unbiased ? math::unbiased_correction(pixels) : 1.0;
    on_.for_each_index(
        c,
        move_running_statistics{
            correction, momentum, {mean, c}, {variance, c}, {running_mean, c}, {running_var, c}});
  }
  /// `residual` is of the result's type, `diff_dst` below of that of `diff_src`.
  void normalise_forward(const normalised& what, const float* residual, tensor_view dst) const {
    check_types(what.src.type, dst.type);
    with_trained_type(dst.type, [&]<class T>() {
      run_for_each_channel(
          on_, dst.shape,
          normalise_elements<T>{what, optional_span<const T>(residual, dst.shape.elements()),
                                span_of<T>(dst)});
    });
  }
  void normalise_pool(const normalised& what, tensor_view dst) const {
    const temporary partial(on_, channel_sum_floats(what.src.shape, true, 1));
    with_trained_type(what.src.type, [&]<class T>() {
      run_channel_sums(on_, what.src.shape, true, activated_sums<T>{what, {}},
                       mean_of(what.src.shape, dst), partial.data());
    });
  }
  void gate_backward(const normalised& what, const_tensor_view diff_dst, tensor_view diff_gate,
                     float*) const {
    check_types(what.src.type, diff_dst.type);
    const shape4& shape = what.src.shape;
    const temporary partial(on_, channel_sum_floats(shape, true, 1));
    with_trained_type(diff_dst.type, [&]<class T>() {
      run_channel_sums(
          on_, shape, true, activated_sums<T>{what, span_of<T>(diff_dst)},
          store_totals{shape.c, 1.0,
                       optional_span<const float>(what.keep, static_cast<std::size_t>(shape.n)),
                       span_of<float>(diff_gate)},
          partial.data());
    });
  }
  void normalise_backward(const normalised& what, const float* diff_dst, const float* diff_pool,
                          const float*, bool of_batch, tensor_view diff_src, float* diff_weight,
                          float* diff_bias, std::byte* scratch) const {
    check_types(what.src.type, diff_src.type);
    with_trained_type(diff_src.type, [&]<class T>() {
      normalise_backward_of<T>(what, diff_dst, diff_pool, of_batch, diff_src, diff_weight,
                               diff_bias, reinterpret_cast<float*>(scratch));
    });
  }

  double loss_backward(loss_kind kind, const_tensor_view logits, const float* targets,
                       float smoothing, const float* class_weights, tensor_view diff_logits) const {
    const temporary losses(on_, static_cast<std::size_t>(logits.shape.n));
    losses_backward(kind, logits, targets, smoothing, class_weights, diff_logits, losses.data());
    return mean_loss(losses.data(), logits.shape.n);
  }
  void losses_backward(loss_kind kind, const_tensor_view logits, const float* targets,
                       float smoothing, const float* class_weights, tensor_view diff_logits,
                       float* losses) const {
    const int images = logits.shape.n, classes = logits.shape.c;
    const global_span<const float> wanted(targets, logits.shape.elements());
    const auto weights =
        optional_span<const float>(class_weights, static_cast<std::size_t>(classes));
    const global_span<float> to(losses, static_cast<std::size_t>(images));
    if (kind == loss_kind::softmax)
      on_.run(loss_kernel<true>{images, classes, smoothing, span_of<float>(logits), wanted, weights,
                                span_of<float>(diff_logits), to});
    else
      on_.run(loss_kernel<false>{images, classes, smoothing, span_of<float>(logits), wanted,
                                 weights, span_of<float>(diff_logits), to});
  }
  double mean_loss(const float* losses, int images) const {
    std::vector<float> host(static_cast<std::size_t>(images));
    on_.download(losses, host.data(), host.size() * sizeof(float));
    double sum = 0;
    for (const float loss : host) sum += static_cast<double>(loss);
    return sum / images;
  }

  batch_uploads make_uploads() const { return batch_uploads(on_); }

  static constexpr bool host_memory = D::host_memory;
  template <class Body>
  void for_each_piece(std::size_t count, const Body& body) const {
    if (count > 0) on_.run(piece_kernel<Body>{count, body});
  }
  void squares_of_runs(const float_run* runs, std::size_t count, double* sums) const {
    if (count > 0) on_.run(squares_kernel{count, runs, sums});
  }

 private:
  /// Floats for one op.
  class temporary {
   public:
    temporary(const D& on, std::size_t floats) : memory_(on, floats * sizeof(float)) {}
    float* data() const { return reinterpret_cast<float*>(memory_.data()); }

   private:
    typename D::temporary memory_;
  };

  template <class T>
  void normalise_backward_of(const normalised& what, const float* diff_dst, const float* diff_pool,
                             bool of_batch, tensor_view diff_src, float* diff_weight,
                             float* diff_bias, float* partial) const {
    const shape4& shape = what.src.shape;
    const auto channels = static_cast<std::size_t>(shape.c),
               images = static_cast<std::size_t>(shape.n);
    const norm_gradient<T> gradient{what, optional_span<const T>(diff_dst, shape.elements()),
                                    optional_span<const float>(diff_pool, images * channels),
                                    1.0f / static_cast<float>(shape.h * shape.w)};
    float *offset = partial + norm_sum_floats(shape), *slope = offset + channels;
    if (of_batch || diff_weight != nullptr || diff_bias != nullptr)
      run_channel_sums(on_, shape, false, norm_gradient_sums<T>{gradient},
                       finish_norm_gradient{pixels_of(shape),
                                            {what.constants.inverse, channels},
                                            optional_span<float>(diff_weight, channels),
                                            optional_span<float>(diff_bias, channels),
                                            {offset, channels},
                                            {slope, channels}},
                       partial);
    run_for_each_channel(
        on_, shape,
        apply_norm_gradient<T>{gradient,
                               optional_span<const float>(of_batch ? offset : nullptr, channels),
                               optional_span<const float>(of_batch ? slope : nullptr, channels),
                               span_of<T>(diff_src)});
  }

  /// Numbers of type `T` at `data`, which may be null.
  template <class T, class From>
  static global_span<T> optional_span(From* data, std::size_t count) {
    if (data == nullptr) return {};
    return {reinterpret_cast<T*>(data), count};
  }
  static double pixels_of(const shape4& s) {
    return static_cast<double>(s.elements() / static_cast<std::size_t>(s.c));
  }
  /// A multiple of the widest access, for the rows behind.
  static std::size_t norm_sum_floats(const shape4& shape) {
    return (channel_sum_floats(shape, false, 2) + 3) / 4 * 4;
  }
  static store_totals mean_of(const shape4& shape, tensor_view dst) {
    return {shape.c, 1.0 / static_cast<double>(shape.h * shape.w), {}, span_of<float>(dst)};
  }

  D on_;
  products products_ = products::fp32;
  gpu_options options_;
};

}  // namespace effnet::cuda
