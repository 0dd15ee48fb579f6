#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include <effnet/cuda/dense_weight_gradient.hpp>
#include <effnet/cuda/gpu_convolution.hpp>
#include <effnet/cuda/library_gradients.hpp>

namespace effnet::cuda {

/// Throws `backend_error` for what has no gradients.
inline products of_gradients(products of) {
  if (of == products::fp16)
    throw backend_error("fp16 is for inference; train with bf16 or TF32 products");
  return of;
}

/// The gradient of a convolution's source.
template <device D>
class gpu_data_gradient {
 public:
  gpu_data_gradient(const D& on, const conv_problem& problem, products of,
                    const gpu_options& options)
      : on_(on),
        problem_(problem),
        products_(of_gradients(of)),
        packer_(on, problem,
                !problem.depthwise() ? weight_layout::dense_backward
                : turns()            ? weight_layout::depthwise_backward
                                     : weight_layout::depthwise),
        library_(library_data_gradient<D>::plan(on, problem, of, options)) {}

  static constexpr std::size_t scratch_bytes() { return 0; }
  weight_layout layout() const { return library_ ? library_->packer().layout() : packer_.layout(); }
  std::string_view implementation() const {
    if (library_) return library_->implementation();
    if (!problem_.depthwise())
      return with_gradient_tile(products_, [&]<class Tile>() {
        return dense_product<backward_windows, Tile, float>::name;
      });
    return turns() ? "depthwise_forward" : depthwise_data_gradient<float>::name;
  }
  packed_weights<D> pack(const float* oihw) const {
    return library_ ? library_->packer().pack(oihw) : packer_.pack(oihw, nullptr);
  }
  void repack(const float* oihw, packed_weights<D>& packed) const {
    library_ ? library_->packer().repack(oihw, packed) : packer_.repack(oihw, nullptr, packed);
  }

  void run(const packed_weights<D>& packed, const_tensor_view diff_dst,
           tensor_view diff_src) const {
    check_types(diff_dst.type, diff_src.type);
    if (library_) return library_->run(packed, diff_dst, diff_src);
    with_trained_type(diff_src.type, [&]<class T>() {
      run_on(packed, span_of<T>(diff_dst), span_of<T>(diff_src));
    });
  }

 private:
  template <class T>
  void run_on(const packed_weights<D>& packed, global_span<const T> from, global_span<T> to) const {
    if (!problem_.depthwise()) {
      with_gradient_tile(products_, [&]<class Tile>() {
        if constexpr (multiplies_stored<Tile, T>)
          on_.run(dense_product<backward_windows, Tile, T>{
              {problem_}, {}, from, packed.weight_span(), {}, to});
        else
          throw backend_error(type_mismatch(products_));
      });
    } else if (turns()) {
      const conv_problem turned = turned_problem();
      with_depthwise_kernel(turned.kernel, 1, turned.out, [&]<int Kernel, int Stride, int Width>() {
        on_.run(depthwise_forward<T, Kernel, Stride, Width>{
            turned, activation::identity, from, packed.weight_span(), {}, to, {}});
      });
    } else {
      run_for_each_channel(on_, problem_.src,
                           depthwise_data_gradient<T>{problem_, from, packed.weight_span(), to});
    }
  }
  /// At stride 1 it is a convolution of the result's gradient with the kernel turned around.
  bool turns() const { return has_depthwise_kernel(problem_) && problem_.stride == 1; }
  conv_problem turned_problem() const {
    const int last = problem_.kernel - 1;
    conv_problem turned = problem_;
    turned.src = problem_.dst();
    turned.pad = {last - problem_.pad.top, last - problem_.pad.left, last - problem_.pad.bottom,
                  last - problem_.pad.right};
    return turned;
  }

  D on_;
  conv_problem problem_;
  products products_;
  weight_packer<D> packer_;
  std::optional<library_data_gradient<D>> library_;
};

/// The gradient of a convolution's weights, and of its bias where there is one.
template <device D>
class gpu_weight_gradient {
 public:
  gpu_weight_gradient(const D& on, const conv_problem& problem, bool bias, products of,
                      const gpu_options& options)
      : on_(on),
        problem_(problem),
        products_(of_gradients(of)),
        bias_(bias),
        parts_(with_gradient_tile(
            products_,
            [&]<class Tile>() { return dense_weight_gradient<Tile, float>::parts_for(problem); })),
        library_(library_weight_gradient<D>::plan(on, problem, of, options)) {}

  std::string_view implementation() const {
    if (library_) return library_->implementation();
    if (problem_.depthwise()) return "depthwise_weight_sums";
    return with_gradient_tile(
        products_, [&]<class Tile>() { return dense_weight_gradient<Tile, float>::name; });
  }
  std::size_t scratch_bytes() const {
    std::size_t floats = 0;
    if (!problem_.depthwise())
      floats = library_ ? 0 : parts_ * problem_.weights();
    else
      floats = channel_sum_floats(problem_.dst(), false, at_once());
    if (bias_) floats = std::max(floats, channel_sum_floats(problem_.dst(), false, 1));
    return floats * sizeof(float);
  }

  void run(const_tensor_view src, const_tensor_view diff_dst, float* diff_oihw, float* diff_bias,
           std::byte* scratch) const {
    const source_of_type<D> source(on_, src, diff_dst.type);
    auto* partial = reinterpret_cast<float*>(scratch);
    if (library_) library_->run(source.view(), diff_dst, diff_oihw);
    with_trained_type(diff_dst.type, [&]<class T>() {
      const auto diff = span_of<T>(diff_dst);
      if (!library_)
        run_weights(span_of<T>(source.view()), diff, {diff_oihw, problem_.weights()}, partial);
      if (bias_)
        run_channel_sums(on_, problem_.dst(), false, element_sums<T>{diff},
                         store_totals{.channels = problem_.out,
                                      .factor = 1,
                                      .keep = {},
                                      .dst = {diff_bias, static_cast<std::size_t>(problem_.out)}},
                         partial);
    });
  }

 private:
  int taps() const { return problem_.kernel * problem_.kernel; }
  /// Taps of a depthwise kernel that one pass sums up.
  int at_once() const { return problem_.kernel == 3 || problem_.kernel == 5 ? taps() : 1; }

  template <class T>
  void run_weights(global_span<const T> src, global_span<const T> diff_dst,
                   global_span<float> diff_oihw, float* partial) const {
    if (!problem_.depthwise())
      run_dense(src, diff_dst, diff_oihw, partial);
    else if (problem_.kernel == 3)
      run_depthwise<3>(src, diff_dst, diff_oihw, partial);
    else if (problem_.kernel == 5)
      run_depthwise<5>(src, diff_dst, diff_oihw, partial);
    else
      run_taps(src, diff_dst, diff_oihw, partial);
  }
  template <class T>
  void run_dense(global_span<const T> src, global_span<const T> diff_dst,
                 global_span<float> diff_oihw, float* partial) const {
    const std::size_t floats = parts_ * problem_.weights();
    with_gradient_tile(products_, [&]<class Tile>() {
      if constexpr (multiplies_stored<Tile, T>)
        on_.run(
            dense_weight_gradient<Tile, T>{{problem_}, src, diff_dst, {partial, floats}, parts_});
      else
        throw backend_error(type_mismatch(products_));
    });
    on_.for_each_index(problem_.weights(), add_weight_parts{.out = problem_.out,
                                                            .in = problem_.src.c,
                                                            .taps = taps(),
                                                            .parts = parts_,
                                                            .partial = {partial, floats},
                                                            .diff_oihw = diff_oihw});
  }
  template <int Kernel, class T>
  void run_depthwise(global_span<const T> src, global_span<const T> diff_dst,
                     global_span<float> diff_oihw, float* partial) const {
    run_channel_sums(on_, problem_.dst(), false,
                     depthwise_weight_sums<T, Kernel>{problem_, src, diff_dst},
                     store_tap_totals<Kernel * Kernel>{diff_oihw, 0, taps()}, partial);
  }
  template <class T>
  void run_taps(global_span<const T> src, global_span<const T> diff_dst,
                global_span<float> diff_oihw, float* partial) const {
    for (int t = 0; t < taps(); ++t)
      run_channel_sums(
          on_, problem_.dst(), false,
          depthwise_tap_sum<T>{problem_, src, diff_dst, t / problem_.kernel, t % problem_.kernel},
          store_tap_totals<1>{diff_oihw, t, taps()}, partial);
  }

  D on_;
  conv_problem problem_;
  products products_;
  bool bias_;
  unsigned parts_;
  std::optional<library_weight_gradient<D>> library_;
};

}  // namespace effnet::cuda
