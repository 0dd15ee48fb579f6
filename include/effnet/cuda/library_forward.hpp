#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <effnet/cuda/bias_activation.hpp>
#include <effnet/cuda/kernel_calls.hpp>
#include <effnet/cuda/library_packer.hpp>
#include <effnet/cuda/library_rule.hpp>
#include <effnet/cuda/product_by_result.hpp>
#include <effnet/cuda/products.hpp>

namespace effnet::cuda {

/// A dense convolution that a device's libraries run forward: 1x1 as a product of matrices, others
/// as what they are. The residual, which stands in the result, is added by the library; of the rest
/// a product does bias and ReLU, and a pass over the result what is left.
template <device D>
class library_forward {
 public:
  /// Nothing where own kernels run it.
  static std::optional<library_forward> plan(const D& on, const conv_problem& p,
                                             const epilogue& then, products of,
                                             const gpu_options& options) {
    const std::optional<activation> last = last_activation(then);
    if (!last || !worth_a_library(p, options)) return std::nullopt;
    library_forward made(on, p, of);
    const bool product = is_matrix_product(p), relu = product && *last == activation::relu;
    made.behind_ = relu ? activation::identity : *last;
    if (made.behind_ != activation::identity && !worth_a_pass(p, options)) return std::nullopt;
    const bool planned = product ? made.plan_product(then.add_dst, relu, of)
                                 : made.plan_convolution(then.add_dst, of);
    if (!planned) return std::nullopt;
    return made;
  }

  const library_packer<D>& packer() const { return packer_; }
  std::string_view implementation() const {
    return product_ ? library_op<D, matrix_product>::name
                    : library_op<D, library_convolution>::name;
  }

  void run(const packed_weights<D>& packed, const_tensor_view src, tensor_view dst) const {
    const source_of_type<D> source(on_, src, numbers_);
    if (product_) {
      const auto& bias = dst.type == dtype::f32 ? packed.bias : packed.stored_bias;
      product_->of_type(dst.type).run(on_, source.view().data, packed.weights.data(), bias.data(),
                                      dst.data);
      if (behind_ == activation::identity) return;
    } else {
      check_types(numbers_, dst.type);
      convolution_->run(on_, source.view().data, packed.weights.data(), dst.data);
      if (behind_ == activation::identity && packed.bias_count == 0) return;
    }
    with_stored_type(dst.type, [&]<class T>() {
      run_for_each_channel(on_, dst.shape,
                           bias_activation<T>{behind_, packed.bias_span(), span_of<T>(dst)});
    });
  }

 private:
  library_forward(const D& on, const conv_problem& p, products of)
      : on_(on), problem_(p), numbers_(type_of(of)), packer_(on, p, numbers_) {}

  bool plan_product(bool add_dst, bool relu, products of) {
    const auto pixels = problem_.src.elements() / static_cast<std::size_t>(problem_.src.c);
    product_ = product_by_result<D>::plan(on_,
                                          {.rows = static_cast<std::int64_t>(pixels),
                                           .columns = problem_.out,
                                           .depth = problem_.src.c,
                                           .right_turned = true,
                                           .numbers = numbers_,
                                           .tf32 = of == products::tf32,
                                           .bias = behind_ == activation::identity,
                                           .add_result = add_dst,
                                           .relu = relu},
                                          problem_.fully_connected());
    return product_.has_value();
  }
  bool plan_convolution(bool add_dst, products of) {
    if (!is_padded_alike(problem_)) return false;
    convolution_ = plan_on_library(on_, library_convolution{.problem = problem_,
                                                            .numbers = numbers_,
                                                            .tf32 = of == products::tf32,
                                                            .add_result = add_dst});
    return convolution_.has_value();
  }

  D on_;
  conv_problem problem_;
  dtype numbers_;
  library_packer<D> packer_;
  activation behind_ = activation::identity;  ///< behind the bias; identity of a product: both done
  std::optional<product_by_result<D>> product_;  // this or the other
  std::optional<library_op<D, library_convolution>> convolution_;
};

}  // namespace effnet::cuda
