#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include <effnet/cuda/library_packer.hpp>
#include <effnet/cuda/library_rule.hpp>
#include <effnet/cuda/product_by_result.hpp>
#include <effnet/cuda/products.hpp>

namespace effnet::cuda {

/// The gradient of a dense convolution's source by a device's library.
template <device D>
class library_data_gradient {
 public:
  /// Nothing where own kernels run it.
  static std::optional<library_data_gradient> plan(const D& on, const conv_problem& p, products of,
                                                   const gpu_options& options) {
    if (!is_matrix_product(p) || !worth_a_library(p, options)) return std::nullopt;
    const auto pixels = p.src.elements() / static_cast<std::size_t>(p.src.c);
    auto product = product_by_result<D>::plan(on,
                                              {.rows = static_cast<std::int64_t>(pixels),
                                               .columns = p.src.c,
                                               .depth = p.out,
                                               .numbers = type_of(of),
                                               .tf32 = of == products::tf32},
                                              p.fully_connected());
    if (!product) return std::nullopt;
    return library_data_gradient(on, p, type_of(of), *std::move(product));
  }

  const library_packer<D>& packer() const { return packer_; }
  std::string_view implementation() const { return library_product<D>::name; }

  void run(const packed_weights<D>& packed, const_tensor_view diff_dst,
           tensor_view diff_src) const {
    const auto& product = product_.of_type(diff_src.type);
    const source_of_type<D> source(on_, diff_dst, numbers_);
    product.run(on_, source.view().data, packed.weights.data(), nullptr, diff_src.data);
  }

 private:
  library_data_gradient(const D& on, const conv_problem& p, dtype numbers,
                        product_by_result<D> product)
      : on_(on), numbers_(numbers), packer_(on, p, numbers), product_(std::move(product)) {}

  D on_;
  dtype numbers_;
  library_packer<D> packer_;
  product_by_result<D> product_;
};

/// The gradient of a dense convolution's weights by a device's library.
template <device D>
class library_weight_gradient {
 public:
  /// Nothing where own kernels run it.
  static std::optional<library_weight_gradient> plan(const D& on, const conv_problem& p,
                                                     products of, const gpu_options& options) {
    if (!is_matrix_product(p) || !worth_a_library(p, options)) return std::nullopt;
    const auto pixels = p.src.elements() / static_cast<std::size_t>(p.src.c);
    auto product = plan_library_product(on, {.rows = p.out,
                                             .columns = p.src.c,
                                             .depth = static_cast<std::int64_t>(pixels),
                                             .left_turned = true,
                                             .numbers = type_of(of),
                                             .tf32 = of == products::tf32});
    if (!product) return std::nullopt;
    return library_weight_gradient(on, type_of(of), *std::move(product));
  }

  std::string_view implementation() const { return library_product<D>::name; }

  /// Maps of both types; [out][in] is OIHW of one tap.
  void run(const_tensor_view src, const_tensor_view diff_dst, float* diff_oihw) const {
    const source_of_type<D> right(on_, src, numbers_), left(on_, diff_dst, numbers_);
    product_.run(on_, left.view().data, right.view().data, nullptr, diff_oihw);
  }

 private:
  library_weight_gradient(const D& on, dtype numbers, library_product<D> product)
      : on_(on), numbers_(numbers), product_(std::move(product)) {}

  D on_;
  dtype numbers_;
  library_product<D> product_;
};

}  // namespace effnet::cuda
