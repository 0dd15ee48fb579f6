#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <effnet/cuda/library_packer.hpp>
#include <effnet/cuda/library_rule.hpp>
#include <effnet/cuda/product_by_result.hpp>
#include <effnet/cuda/products.hpp>

namespace effnet::cuda {

/// The gradient of a dense convolution's source by a device's libraries.
template <device D>
class library_data_gradient {
 public:
  /// Nothing where own kernels run it.
  static std::optional<library_data_gradient> plan(const D& on, const conv_problem& p, products of,
                                                   const gpu_options& options) {
    if (!worth_a_library(p, options)) return std::nullopt;
    library_data_gradient made(on, p, of);
    const bool tf32 = of == products::tf32;
    if (is_matrix_product(p)) {
      const auto pixels = p.src.elements() / static_cast<std::size_t>(p.src.c);
      made.product_ = product_by_result<D>::plan(on,
                                                 {.rows = static_cast<std::int64_t>(pixels),
                                                  .columns = p.src.c,
                                                  .depth = p.out,
                                                  .numbers = made.numbers_,
                                                  .tf32 = tf32},
                                                 p.fully_connected());
      if (!made.product_) return std::nullopt;
    } else {
      if (!is_padded_alike(p)) return std::nullopt;
      made.convolution_ =
          plan_on_library(on, library_convolution{.problem = p,
                                                  .of = library_convolution::part::data_gradient,
                                                  .numbers = made.numbers_,
                                                  .tf32 = tf32});
      if (!made.convolution_) return std::nullopt;
    }
    return made;
  }

  const library_packer<D>& packer() const { return packer_; }
  std::string_view implementation() const {
    return product_ ? library_op<D, matrix_product>::name
                    : library_op<D, library_convolution>::name;
  }

  void run(const packed_weights<D>& packed, const_tensor_view diff_dst,
           tensor_view diff_src) const {
    const source_of_type<D> source(on_, diff_dst, numbers_);
    if (product_) {
      product_->of_type(diff_src.type)
          .run(on_, source.view().data, packed.weights.data(), nullptr, diff_src.data);
    } else {
      check_types(numbers_, diff_src.type);
      convolution_->run(on_, source.view().data, packed.weights.data(), diff_src.data);
    }
  }

 private:
  library_data_gradient(const D& on, const conv_problem& p, products of)
      : on_(on), numbers_(type_of(of)), packer_(on, p, numbers_) {}

  D on_;
  dtype numbers_;
  library_packer<D> packer_;
  std::optional<product_by_result<D>> product_;  // this or the other
  std::optional<library_op<D, library_convolution>> convolution_;
};

/// The gradient of a dense convolution's weights by a device's libraries: floats, whatever is
/// multiplied.
template <device D>
class library_weight_gradient {
 public:
  /// Nothing where own kernels run it. A library's gradient of filters is of their type, so that
  /// rounded ones are left to own kernels.
  static std::optional<library_weight_gradient> plan(const D& on, const conv_problem& p,
                                                     products of, const gpu_options& options) {
    if (!worth_a_library(p, options)) return std::nullopt;
    library_weight_gradient made(on, p, of);
    const bool tf32 = of == products::tf32;
    if (is_matrix_product(p)) {
      const auto pixels = p.src.elements() / static_cast<std::size_t>(p.src.c);
      made.product_ = plan_on_library(on, matrix_product{.rows = p.out,
                                                         .columns = p.src.c,
                                                         .depth = static_cast<std::int64_t>(pixels),
                                                         .left_turned = true,
                                                         .numbers = made.numbers_,
                                                         .tf32 = tf32});
      if (!made.product_) return std::nullopt;
    } else {
      if (!is_padded_alike(p) || made.numbers_ != dtype::f32) return std::nullopt;
      made.convolution_ = plan_on_library(
          on, library_convolution{
                  .problem = p, .of = library_convolution::part::weight_gradient, .tf32 = tf32});
      if (!made.convolution_) return std::nullopt;
    }
    return made;
  }

  std::string_view implementation() const {
    return product_ ? library_op<D, matrix_product>::name
                    : library_op<D, library_convolution>::name;
  }

  void run(const_tensor_view src, const_tensor_view diff_dst, float* diff_oihw) const {
    const source_of_type<D> source(on_, src, numbers_), diff(on_, diff_dst, numbers_);
    if (product_) {  // [out][in] is OIHW of one tap
      product_->run(on_, diff.view().data, source.view().data, nullptr, diff_oihw);
      return;
    }
    const std::size_t count = problem_.weights();
    const typename D::temporary filters(on_, count * sizeof(float));
    auto* made = reinterpret_cast<float*>(filters.data());
    convolution_->run(on_, source.view().data, diff.view().data, made);
    on_.for_each_index(count, filters_to_oihw{.in = problem_.src.c,
                                              .taps = problem_.kernel * problem_.kernel,
                                              .filters = {made, count},
                                              .oihw = {diff_oihw, count}});
  }

 private:
  library_weight_gradient(const D& on, const conv_problem& p, products of)
      : on_(on), problem_(p), numbers_(type_of(of)) {}

  D on_;
  conv_problem problem_;
  dtype numbers_;
  std::optional<library_op<D, matrix_product>> product_;  // this or the other
  std::optional<library_op<D, library_convolution>> convolution_;
};

}  // namespace effnet::cuda
