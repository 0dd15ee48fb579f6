#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <effnet/core/error.hpp>
#include <effnet/cuda/dense_product.hpp>
#include <effnet/cuda/depthwise_forward.hpp>
#include <effnet/cuda/depthwise_functions.hpp>
#include <effnet/cuda/kernel_calls.hpp>
#include <effnet/cuda/library_forward.hpp>
#include <effnet/cuda/normalised_functions.hpp>
#include <effnet/cuda/packed_weights.hpp>
#include <effnet/cuda/source_of_type.hpp>
#include <effnet/cuda/weight_packer.hpp>

namespace effnet::cuda {

/// Depthwise kernels that the fast forms are made for.
constexpr bool has_depthwise_kernel(const conv_problem& p) {
  return (p.kernel == 3 || p.kernel == 5) && (p.stride == 1 || p.stride == 2);
}

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

}  // namespace effnet::cuda
