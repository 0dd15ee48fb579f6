#include "../gpu_checks.hpp"
#include "stand_in.hpp"
#include "stand_in_device.hpp"

// Dense convolutions by cuBLASLt, and by cuDNN where effnet is built with it, with what stands in
// for the libraries.
namespace {
using namespace effnet;
using namespace effnet::testing;
using cuda::products;
static_assert(training_backend<stand_in_backend> && fuses_mbconv<stand_in_backend>);

constexpr products every_kind[] = {products::fp32, products::tf32, products::bf16, products::fp16};
constexpr int never = 1 << 30;
}  // namespace

TEST_CASE("cuda libraries: convolutions are what their definition says, in double") {
  for (const int depth : {0, never})
    check_convolutions(stand_in_backend(products::fp32, whenever_possible(depth)));
}
TEST_CASE("cuda libraries: epilogues are what their definition says, with a bias and without") {
  using enum activation;
  for (const products of : {products::fp32, products::bf16})
    for (const int kernel : {1, 3})
      for (const epilogue& then :
           {epilogue{}, epilogue{.add_dst = true}, epilogue{.before = silu},
            epilogue{.before = relu}, epilogue{.add_dst = true, .after = relu},
            epilogue{.add_dst = true, .after = silu},
            epilogue{.before = silu, .add_dst = true, .after = relu}})
        for (const bool biased : {true, false}) {
          const stand_in_backend on(of, whenever_possible());
          const conv_problem p = square(kernel, {2, 6, 5, 24}, 16);
          conv_data data(p);
          data.src = as_stored(on, data.src), data.residual = as_stored(on, data.residual);
          if (!biased) data.bias.assign(data.bias.size(), 0);
          const auto expected = convolve(p, then, data.src.data(), rounded(data.weights, of).data(),
                                         data.bias.data(), data.residual);
          const std::vector<float> dst =
              run_conv(on, p, then, data.src, data.weights.data(),
                       biased ? data.bias.data() : nullptr, data.residual);
          CHECK(largest_error(dst, std::vector<float>(expected.begin(), expected.end())) <
                rounding_step(map_type(on), 1e-5));
        }
}
TEST_CASE("cuda libraries: gradients of convolutions are the reference's") {
  check_convolution_gradients(stand_in_backend(products::fp32, whenever_possible()));
}
TEST_CASE("cuda libraries: rounded convolutions and gradients are those of rounded numbers") {
  for (const auto of : {products::tf32, products::bf16, products::fp16})
    check_rounded_convolutions(stand_in_backend(of, whenever_possible()), of);
}
TEST_CASE("cuda libraries: images and rows of numbers are floats, whatever maps are") {
  for (const auto of : every_kind)
    check_float_sources(stand_in_backend(of, whenever_possible()), of);
}
TEST_CASE("cuda libraries: the two ops of MBConv are the ops that they are made of") {
  for (const auto of : every_kind) {
    check_expand_depthwise(stand_in_backend(of, whenever_possible()), of);
    check_gated_convolution(stand_in_backend(of, whenever_possible()), of);
  }
}
TEST_CASE("cuda libraries: networks of every kind of block are the reference's, with gradients") {
  check_small_networks(stand_in_backend(products::fp32, whenever_possible(20)));
  check_small_networks(stand_in_backend(products::bf16, whenever_possible(20)), bf16_tolerance);
}

TEST_CASE("cuda libraries: gradients of rows of numbers are floats, whatever maps are") {
  const conv_problem p = square(1, {3, 1, 1, 37}, 70);
  for (const auto of : {products::fp32, products::tf32, products::bf16}) {
    const stand_in_backend on(of, whenever_possible());
    conv_data data(p);
    const std::vector<float> diff_dst = noise(p.dst().elements(), 9);
    conv_data as_taken = data;
    as_taken.src = rounded(data.src, of), as_taken.weights = rounded(data.weights, of);
    const conv_gradients expected =
        run_conv_backward(reference_training_backend{}, p, as_taken, rounded(diff_dst, of));
    const device_vector src(on, data.src), diff(on, diff_dst);
    const device_vector by_src(on, std::vector<float>(data.src.size(), NAN));
    const device_vector by_weights(on, std::vector<float>(data.weights.size(), NAN));
    const auto of_source = on.plan_conv_backward_data(p);
    on.conv_backward_data(of_source, of_source.pack(data.weights.data()), {diff.data(), p.dst()},
                          {by_src.data(), p.src}, nullptr);
    const auto of_weights = on.plan_conv_backward_weights(p, false);
    on.conv_backward_weights(of_weights, {src.data(), p.src}, {diff.data(), p.dst()},
                             by_weights.data(), nullptr, nullptr);
    CHECK(of_source.implementation() == "cublasLt");
    CHECK(of_weights.implementation() == "cublasLt");
    CHECK(largest_error(by_src.host(), expected.src) < 1e-5);
    CHECK(largest_error(by_weights.host(), expected.weights) < 1e-5);
  }
}

TEST_CASE("cuda libraries: a plan says what runs, by its shape and its epilogue") {
  using enum activation;
  const conv_problem wide = square(1, {4, 32, 32, 256}, 64);  // 67 million multiply-adds
  const stand_in_backend on(products::bf16);
  const auto runs = [&](const conv_problem& p, const epilogue& then = {}) {
    return on.plan_conv(p, then).implementation();
  };
  CHECK(runs(wide) == "cublasLt");
  CHECK(runs(wide, {.add_dst = true}) == "cublasLt");
  CHECK(runs(wide, {.add_dst = true, .after = relu}) == "cublasLt");
  CHECK(runs(wide, {.before = silu}) == "cublasLt");
  CHECK(on.plan_conv_backward_data(wide).implementation() == "cublasLt");
  CHECK(on.plan_conv_backward_weights(wide, false).implementation() == "cublasLt");
  // No library has it, or it does not pay.
  CHECK(runs(wide, {.before = silu, .add_dst = true}) == "dense_product_bf16");
  CHECK(on.plan_gated_conv(wide, {}).implementation() == "dense_product_bf16");
  CHECK(runs(square(1, {4, 32, 32, 248}, 64), {.before = silu}) == "dense_product_bf16");
  CHECK(runs(square(1, {4, 32, 32, 248}, 64)) == "cublasLt");
  CHECK(runs(square(1, {4, 32, 32, 252}, 64)) == "dense_product_bf16");
  CHECK(runs(square(1, {4, 1, 1, 256}, 64)) == "dense_product_bf16");
  CHECK(runs(square(1, {4, 32, 32, 256}, 1001)) == "dense_product_bf16");

  const stand_in_backend without(products::bf16, {.libraries = false});
  CHECK(without.plan_conv(wide).implementation() == "dense_product_bf16");
  CHECK(without.plan_conv_backward_data(wide).implementation() == "dense_product_bf16");
  CHECK(without.plan_conv_backward_weights(wide, false).implementation() ==
        "dense_weight_gradient_bf16");
}

TEST_CASE("cuda libraries: own kernels run what no algorithm is found for") {
  stand_in::library.no_algorithm = true;
  const stand_in_backend on(products::fp32, whenever_possible());
  const std::size_t before = stand_in::library.products;
  CHECK(on.plan_conv(square(1, {1, 4, 4, 8}, 8)).implementation() == "dense_product");
  check_convolution_gradients(on);
  CHECK(stand_in::library.products == before);
  stand_in::library.no_algorithm = false;
  check_convolution_gradients(on);
  CHECK(stand_in::library.products > before);
}

TEST_CASE("cuda libraries: a matrix that is not aligned is refused, as are types without a plan") {
  const stand_in_backend on(products::bf16, whenever_possible());
  const conv_problem p = square(1, {1, 4, 4, 8}, 8);
  const conv_data data(p);
  const auto op = on.plan_conv(p);
  const auto packed = op.pack(data.weights.data(), nullptr);
  const device_vector map(on, std::vector<float>(256));
  CHECK_THROWS_WITH_AS(on.conv_forward(op, packed, {map.data() + 1, p.src, dtype::bf16},
                                       {map.data() + 128, p.dst(), dtype::bf16}, nullptr),
                       "cuBLASLt: a matrix at an address that is no multiple of 16 bytes",
                       backend_error);
  CHECK_THROWS_WITH_AS(on.conv_forward(op, packed, {map.data(), p.src, dtype::bf16},
                                       {map.data() + 128, p.dst()}, nullptr),
                       "a product of BF16 numbers was not planned for F32 results", backend_error);
}
