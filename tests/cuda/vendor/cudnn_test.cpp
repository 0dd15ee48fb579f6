#include "../gpu_checks.hpp"
#include "stand_in.hpp"
#include "stand_in_device.hpp"

// What is cuDNN's own; libraries_test.cpp checks its numbers.
namespace {
using namespace effnet;
using namespace effnet::testing;
using cuda::products;
}  // namespace

TEST_CASE("cuda libraries: a plan says what runs on cuDNN, by its shape and its epilogue") {
  using enum activation;
  const stand_in_backend on(products::bf16);
  const auto runs = [&](const conv_problem& p, const epilogue& then = {}) {
    return on.plan_conv(p, then).implementation();
  };
  const conv_problem window = square(3, {4, 32, 32, 32}, 64);
  const stand_in_backend exact(products::fp32);
  CHECK(runs(window) == "cudnn");
  CHECK(runs(window, {.before = silu}) == "cudnn");
  CHECK(runs(window, {.add_dst = true}) == "cudnn");
  CHECK(runs(square(3, {4, 32, 32, 32}, 64, 2)) == "cudnn");
  CHECK(runs(square(1, {4, 64, 64, 32}, 64, 2)) == "cudnn");
  CHECK(runs(square(3, {4, 33, 33, 32}, 64, 2, padding_rule::tf_same)) == "cudnn");
  CHECK(on.plan_conv_backward_data(window).implementation() == "cudnn");
  CHECK(exact.plan_conv_backward_weights(window, false).implementation() == "cudnn");
  CHECK(runs(window, {.before = silu, .add_dst = true}) == "dense_product_bf16");
  CHECK(runs(square(3, {4, 32, 32, 32}, 64, 2, padding_rule::tf_same)) == "dense_product_bf16");
  CHECK(runs(square(3, {4, 32, 32, 24}, 64), {.before = silu}) == "dense_product_bf16");
  CHECK(runs(square(3, {4, 128, 128, 3}, 64)) == "dense_product_bf16");
  CHECK(on.plan_conv_backward_weights(window, false).implementation() ==
        "dense_weight_gradient_bf16");
}

TEST_CASE("cuda libraries: own kernels run what cuDNN has no algorithm for") {
  const stand_in_backend on(products::fp32, whenever_possible());
  const std::size_t before = stand_in::library.convolutions;
  stand_in::library.no_algorithm = true;
  CHECK(on.plan_conv(square(3, {1, 4, 4, 8}, 8)).implementation() == "dense_product");
  check_convolution_gradients(on);
  CHECK(stand_in::library.convolutions == before);
  stand_in::library.no_algorithm = false;
  check_convolution_gradients(on);
  CHECK(stand_in::library.convolutions > before);
}

TEST_CASE("cuda libraries: nothing is left of a backend and its plans") {
  const int before = stand_in::library.descriptions;
  {
    const stand_in_backend on(products::fp32, whenever_possible());
    const auto op = on.plan_conv(square(3, {1, 4, 4, 8}, 8));
    const auto copy = op;
    CHECK(stand_in::library.descriptions == before + 5);
  }
  CHECK(stand_in::library.descriptions == before);
}

TEST_CASE("cuda libraries: a tensor that is not aligned is refused, as are other types") {
  const stand_in_backend on(products::bf16, whenever_possible());
  const device_vector map(on, std::vector<float>(256));
  const conv_problem window = square(3, {1, 4, 4, 8}, 8);
  const conv_data of_window(window);
  const auto by_window = on.plan_conv(window);
  const auto filters = by_window.pack(of_window.weights.data(), nullptr);
  CHECK_THROWS_WITH_AS(
      on.conv_forward(by_window, filters, {map.data() + 1, window.src, dtype::bf16},
                      {map.data() + 128, window.dst(), dtype::bf16}, nullptr),
      "cuDNN: a tensor at an address that is no multiple of 16 bytes", backend_error);
  CHECK_THROWS_AS(on.conv_forward(by_window, filters, {map.data(), window.src, dtype::bf16},
                                  {map.data() + 128, window.dst()}, nullptr),
                  backend_error);
}
