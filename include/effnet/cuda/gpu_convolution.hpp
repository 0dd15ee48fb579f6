#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <effnet/core/error.hpp>
#include <effnet/cuda/dense_product.hpp>
#include <effnet/cuda/dense_weight_gradient.hpp>
#include <effnet/cuda/depthwise_forward.hpp>
#include <effnet/cuda/depthwise_functions.hpp>
#include <effnet/cuda/kernel_calls.hpp>
#include <effnet/cuda/library_forward.hpp>
#include <effnet/cuda/library_gradients.hpp>
#include <effnet/cuda/normalised_functions.hpp>
#include <effnet/cuda/packed_weights.hpp>
#include <effnet/cuda/source_of_type.hpp>
#include <effnet/cuda/weight_layouts.hpp>

namespace effnet::cuda {

/// Depthwise kernels that the fast forms are made for.
constexpr bool has_depthwise_kernel(const conv_problem& p) {
  return (p.kernel == 3 || p.kernel == 5) && (p.stride == 1 || p.stride == 2);
}

/// Weights of a convolution, brought into a layout.
template <device D>
class weight_packer {
 public:
  weight_packer(D on, const conv_problem& problem, weight_layout layout)
      : on_(std::move(on)), problem_(problem), layout_(layout) {}

  weight_layout layout() const { return layout_; }
  /// From OIHW of either side's memory.
  packed_weights<D> pack(const float* oihw, const float* bias) const {
    packed_weights<D> packed;
    packed.weight_count = problem_.weights();
    packed.weights = typename D::buffer(packed.weight_count * sizeof(float));
    if (bias != nullptr) {
      packed.bias_count = static_cast<std::size_t>(problem_.out);
      packed.bias = typename D::buffer(packed.bias_count * sizeof(float));
    }
    const std::size_t bytes = packed.weight_count * sizeof(float);
    const typename D::temporary plain(on_, bytes);
    auto* oihw_there = reinterpret_cast<float*>(plain.data());
    on_.copy(oihw, oihw_there, bytes);
    repack(oihw_there, bias, packed);
    return packed;
  }
  /// From the device's memory, into what `pack` made.
  void repack(const float* oihw, const float* bias, packed_weights<D>& packed) const {
    auto* to = reinterpret_cast<float*>(packed.weights.data());
    on_.for_each_index(packed.weight_count,
                       lay_out_weights<float>{.layout = layout_,
                                              .out = problem_.out,
                                              .in = problem_.src.c / problem_.groups,
                                              .taps = problem_.kernel * problem_.kernel,
                                              .oihw = {oihw, packed.weight_count},
                                              .to = {to, packed.weight_count}});
    if (bias != nullptr)
      on_.copy(bias, reinterpret_cast<float*>(packed.bias.data()),
               packed.bias_count * sizeof(float));
  }

 private:
  D on_;
  conv_problem problem_;
  weight_layout layout_;
};

/// Calls `with.template operator()<Kernel, Stride, Width>()` for a problem that has such a kernel.
template <class With>
void with_depthwise_kernel(int kernel, int stride, int channels, const With& with) {
  const auto widths = [&]<int Kernel, int Stride>() {
    if (width_for(channels) == 4)
      with.template operator()<Kernel, Stride, 4>();
    else
      with.template operator()<Kernel, Stride, 1>();
  };
  if (kernel == 3)
    stride == 1 ? widths.template operator()<3, 1>() : widths.template operator()<3, 2>();
  else
    stride == 1 ? widths.template operator()<5, 1>() : widths.template operator()<5, 2>();
}

/// Calls `with.template operator()<Tile>()` for the tile that gradients are made of...
template <class With>
decltype(auto) with_gradient_tile(products of, const With& with) {
  if (of == products::tf32) return with.template operator()<tensor_tile<products::tf32>>();
  if (of == products::bf16) return with.template operator()<tensor_tile<products::bf16>>();
  return with.template operator()<product_tile>();
}
/// ... and for that of dense convolutions.
template <class With>
decltype(auto) with_tile(products of, const With& with) {
  if (of == products::fp16) return with.template operator()<tensor_tile<products::fp16>>();
  return with_gradient_tile(of, with);
}
/// Whether there are kernels for products of `Tile` on maps of `T`: halves are not widened for
/// products that are more exact than they are.
template <class Tile, class T>
constexpr bool multiplies_stored = std::is_same_v<T, float> ||
                                   (std::is_same_v<T, bf16> && Tile::of == products::bf16) ||
                                   (std::is_same_v<T, fp16> && Tile::of == products::fp16);
inline std::string type_mismatch(products of) {
  return sentence("a backend that multiplies in ", name_of(of),
                  " cannot read maps of another type");
}
/// Throws `backend_error` for what has no gradients.
inline products of_gradients(products of) {
  if (of == products::fp16)
    throw backend_error("fp16 is for inference; train with bf16 or TF32 products");
  return of;
}

/// A convolution of one shape, forward.
template <device D>
class gpu_convolution {
 public:
  gpu_convolution(const D& on, const conv_problem& problem, const epilogue& then, products of,
                  const gpu_options& options)
      : on_(on),
        problem_(problem),
        then_(then),
        products_(of),
        packer_(on, problem, problem.depthwise() ? weight_layout::depthwise : weight_layout::dense),
        library_(library_forward<D>::plan(on, problem, then, of, options)) {}

  static constexpr std::size_t scratch_bytes() { return 0; }
  weight_layout layout() const { return library_ ? library_->packer().layout() : packer_.layout(); }
  std::string_view implementation() const {
    if (library_) return library_->implementation();
    if (!problem_.depthwise())
      return with_tile(products_, [&]<class Tile>() {
        return dense_product<forward_windows, Tile, float>::name;
      });
    return has_depthwise_kernel(problem_) ? "depthwise_forward" : any_depthwise<float>::name;
  }

  packed_weights<D> pack(const float* oihw, const float* bias) const {
    return library_ ? library_->packer().pack(oihw, bias) : packer_.pack(oihw, bias);
  }
  void repack(const float* oihw, const float* bias, packed_weights<D>& packed) const {
    library_ ? library_->packer().repack(oihw, bias, packed) : packer_.repack(oihw, bias, packed);
  }

  /// `gate`: [n][channels], which a dense convolution's source is multiplied by, or null. Libraries
  /// have none: it takes a plan without them.
  void forward(const packed_weights<D>& packed, const_tensor_view src, tensor_view dst,
               const float* gate = nullptr) const {
    if (library_) return library_->run(packed, src, dst);
    const source_of_type<D> source(on_, src, dst.type);
    with_stored_type(dst.type, [&]<class T>() {
      const auto from = span_of<T>(source.view());
      const auto to = span_of<T>(dst);
      if (!problem_.depthwise())
        run_dense<T>(packed, from, to, gate);
      else if (has_depthwise_kernel(problem_))
        run_depthwise<T>(packed, from, to, {});
      else
        run_for_each_channel(on_, problem_.dst(),
                             any_depthwise<T>{problem_, then_.before, from, packed.weight_span(),
                                              packed.bias_span(), to});
    });
  }

  /// For `forward_with_means`.
  std::size_t mean_floats() const {
    if (!has_depthwise_kernel(problem_)) return channel_sum_floats(problem_.dst(), true, 1);
    return static_cast<std::size_t>(problem_.src.n) * sum_parts() *
           static_cast<std::size_t>(problem_.out);
  }
  /// A depthwise convolution, and the means of its results over every image: [n][channels].
  void forward_with_means(const packed_weights<D>& packed, const_tensor_view src, tensor_view dst,
                          float* means, float* partial) const {
    const shape4 d = problem_.dst();
    const auto channels = static_cast<std::size_t>(d.c), images = static_cast<std::size_t>(d.n);
    const store_totals mean_of{
        d.c, 1.0 / static_cast<double>(d.h * d.w), {}, {means, images * channels}};
    if (!has_depthwise_kernel(problem_)) forward(packed, src, dst);
    const source_of_type<D> source(on_, src, dst.type);
    with_stored_type(dst.type, [&]<class T>() {
      if (has_depthwise_kernel(problem_)) {
        const std::size_t floats = mean_floats();
        run_depthwise<T>(packed, span_of<T>(source.view()), span_of<T>(dst), {partial, floats});
        on_.run(finish_sums<store_totals>{d.n, d.c, sum_parts(), {partial, floats}, mean_of});
      } else {
        run_channel_sums(on_, d, true, element_sums<T>{span_of<T>(const_tensor_view(dst))}, mean_of,
                         partial);
      }
    });
  }

 private:
  template <class T>
  void run_dense(const packed_weights<D>& packed, global_span<const T> src, global_span<T> dst,
                 const float* gate) const {
    global_span<const float> gates;
    if (gate != nullptr)
      gates = {gate,
               static_cast<std::size_t>(problem_.src.n) * static_cast<std::size_t>(problem_.src.c)};
    with_tile(products_, [&]<class Tile>() {
      if constexpr (multiplies_stored<Tile, T>)
        on_.run(dense_product<forward_windows, Tile, T>{
            {problem_}, then_, src, packed.weight_span(), packed.bias_span(), dst, gates});
      else
        throw backend_error(type_mismatch(products_));
    });
  }
  /// `sums`: [n][sum_parts()][channels], or empty.
  template <class T>
  void run_depthwise(const packed_weights<D>& packed, global_span<const T> src, global_span<T> dst,
                     global_span<float> sums) const {
    with_depthwise_kernel(
        problem_.kernel, problem_.stride, problem_.out, [&]<int Kernel, int Stride, int Width>() {
          on_.run(depthwise_forward<T, Kernel, Stride, Width>{
              problem_, then_.before, src, packed.weight_span(), packed.bias_span(), dst, sums});
        });
  }
  unsigned sum_parts() const {
    unsigned parts = 0;
    with_depthwise_kernel(
        problem_.kernel, problem_.stride, problem_.out, [&]<int Kernel, int Stride, int Width>() {
          parts = depthwise_forward<float, Kernel, Stride, Width>::parts(problem_);
        });
    return parts;
  }

  D on_;
  conv_problem problem_;
  epilogue then_;
  products products_;
  weight_packer<D> packer_;
  std::optional<library_forward<D>> library_;
};

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
