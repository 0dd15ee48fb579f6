#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include <effnet/cuda/kernel_calls.hpp>
#include <effnet/cuda/library_packer.hpp>
#include <effnet/cuda/library_rule.hpp>
#include <effnet/cuda/product_by_result.hpp>
#include <effnet/cuda/products.hpp>

namespace effnet::cuda {

/// What a library leaves of an epilogue: dst = act(dst + bias).
template <class T>
struct bias_activation {
  static constexpr const char* name = "bias_activation";

  activation act;
  global_span<const float> bias;  ///< one a channel, or empty
  global_span<T> dst;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at) const {
    auto x = dst.template load<Width>(at.element);
    floats_of<Width> add = {};
    if (!bias.empty()) add = bias.template load<Width>(at.channel);
    for (int v = 0; v < Width; ++v) x[v] = math::apply(act, x[v] + add[v]);
    dst.template store<Width>(at.element, x);
  }
};

/// A dense convolution that a device's library runs forward.
template <device D>
class library_forward {
 public:
  /// Nothing where own kernels run it.
  static std::optional<library_forward> plan(const D& on, const conv_problem& p,
                                             const epilogue& then, products of,
                                             const gpu_options& options) {
    const std::optional<activation> last = last_activation(then);
    if (!last || !is_matrix_product(p) || !worth_a_library(p, options)) return std::nullopt;
    const bool relu = *last == activation::relu;
    const activation behind = relu ? activation::identity : *last;
    if (behind != activation::identity && !worth_a_pass(p, options)) return std::nullopt;
    const auto pixels = p.src.elements() / static_cast<std::size_t>(p.src.c);
    auto product = product_by_result<D>::plan(on,
                                              {.rows = static_cast<std::int64_t>(pixels),
                                               .columns = p.out,
                                               .depth = p.src.c,
                                               .right_turned = true,
                                               .numbers = type_of(of),
                                               .tf32 = of == products::tf32,
                                               .bias = behind == activation::identity,
                                               .add_result = then.add_dst,
                                               .relu = relu},
                                              p.fully_connected());
    if (!product) return std::nullopt;
    return library_forward(on, p, type_of(of), behind, *std::move(product));
  }

  const library_packer<D>& packer() const { return packer_; }
  std::string_view implementation() const { return library_product<D>::name; }

  void run(const packed_weights<D>& packed, const_tensor_view src, tensor_view dst) const {
    const auto& product = product_.of_type(dst.type);
    const source_of_type<D> source(on_, src, numbers_);
    const auto& bias = dst.type == dtype::f32 ? packed.bias : packed.stored_bias;
    product.run(on_, source.view().data, packed.weights.data(), bias.data(), dst.data);
    if (behind_ == activation::identity) return;
    with_stored_type(dst.type, [&]<class T>() {
      run_for_each_channel(on_, dst.shape,
                           bias_activation<T>{behind_, packed.bias_span(), span_of<T>(dst)});
    });
  }

 private:
  library_forward(const D& on, const conv_problem& p, dtype numbers, activation behind,
                  product_by_result<D> product)
      : on_(on),
        numbers_(numbers),
        behind_(behind),
        packer_(on, p, numbers),
        product_(std::move(product)) {}

  D on_;
  dtype numbers_;
  activation behind_;  ///< with the bias; identity: the library has added that
  library_packer<D> packer_;
  product_by_result<D> product_;
};

}  // namespace effnet::cuda
