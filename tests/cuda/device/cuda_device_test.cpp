#include <cstdio>
#include <optional>

#include <effnet/cuda.cuh>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "cuda/fit_checks.hpp"
#include "cuda/graph_checks.hpp"

// The same on a device; without one each case is skipped, and says so.
namespace {
using namespace effnet;
using namespace effnet::testing;

constexpr effnet::cuda::products every_kind[] = {
    effnet::cuda::products::fp32, effnet::cuda::products::tf32, effnet::cuda::products::bf16,
    effnet::cuda::products::fp16};

std::optional<cuda_backend> device() {
  if (const std::string why = effnet::cuda::why_no_device(); !why.empty()) {
    std::printf("SKIPPED: %s\n", why.c_str());
    return std::nullopt;
  }
  return cuda_backend();
}
}  // namespace

TEST_CASE("cuda device: element-wise and pooling ops are what their definitions say") {
  if (const auto on = device()) {
    check_elementwise(*on);
    check_elementwise(cuda_backend(effnet::cuda::products::bf16));
    check_elementwise(cuda_backend(effnet::cuda::products::fp16));
  }
}
TEST_CASE("cuda device: convolutions are what their definition says, in double") {
  if (const auto on = device()) check_convolutions(*on);
}
TEST_CASE("cuda device: gradients of convolutions are the reference's") {
  if (const auto on = device()) check_convolution_gradients(*on);
}
TEST_CASE("cuda device: tensor cores' convolutions and gradients are those of rounded numbers") {
  if (device())
    for (const auto of : {cuda::products::tf32, cuda::products::bf16, cuda::products::fp16})
      check_rounded_convolutions(cuda_backend(of), of, 5e-5);
}
TEST_CASE("cuda device: libraries' convolutions and gradients are the reference's") {
  if (device()) {
    const effnet::cuda::gpu_options all{
        .least_macs = 0, .channel_multiple = 1, .least_depth_before_pass = 0};
    check_convolutions(cuda_backend(cuda::products::fp32, all));
    check_convolution_gradients(cuda_backend(cuda::products::fp32, all));
    for (const auto of : {cuda::products::bf16, cuda::products::fp16}) {
      check_rounded_convolutions(cuda_backend(of, all), of, 5e-5);
      check_float_sources(cuda_backend(of, all), of, 5e-5);
    }
    // How the library rounds to TF32 is its own affair.
    check_rounded_convolutions(cuda_backend(cuda::products::tf32, all), cuda::products::tf32, 2e-3);
  }
}
TEST_CASE("cuda device: images and rows of numbers are floats, whatever maps are") {
  if (device())
    for (const auto of : every_kind) check_float_sources(cuda_backend(of), of, 5e-5);
}
TEST_CASE("cuda device: the two ops of MBConv are the ops that they are made of") {
  if (device())
    for (const auto of : every_kind) {
      check_expand_depthwise(cuda_backend(of), of);
      check_gated_convolution(cuda_backend(of), of, 5e-5);
    }
}
TEST_CASE("cuda device: squeeze-excite's layers in one op are the layers one by one") {
  if (const auto on = device()) check_squeeze_excite(*on);
}
TEST_CASE("cuda device: batch norm and what follows it is the reference's, and its gradients") {
  if (const auto on = device()) {
    check_norms(*on);
    check_norms(cuda_backend(effnet::cuda::products::bf16));
  }
}
TEST_CASE("cuda device: the other ops of training are what their definitions say") {
  if (const auto on = device()) {
    check_training_ops(*on);
    check_training_ops(cuda_backend(effnet::cuda::products::bf16));
  }
}
TEST_CASE("cuda device: networks of every kind of block are the reference's, with gradients") {
  if (const auto on = device()) {
    check_small_networks(*on);
    check_small_networks(cuda_backend(effnet::cuda::products::bf16), bf16_tolerance);
  }
}
TEST_CASE("cuda device: training steps are the reference's, and go on from a checkpoint") {
  if (const auto on = device()) {
    check_training(*on);
    check_training_with(cuda_backend(effnet::cuda::products::bf16), rmsprop{}, 0.01);
  }
}
TEST_CASE("cuda device: batches of bytes become the images that the processor makes") {
  if (const auto on = device()) {
    check_looks(*on);
    check_mixing(*on);
    check_resizes(*on);
    check_files(*on);
  }
}
TEST_CASE("cuda device: a run is the same where the device makes images of bytes") {
  if (const auto on = device()) check_fit(*on);
}
TEST_CASE("cuda device: B0 is the reference's, with gradients") {
  if (const auto on = device()) {
    check_network(*on, b0, 97, 80);
    check_network(cuda_backend(effnet::cuda::products::bf16), b0, 97, 80, bf16_tolerance);
  }
}
TEST_CASE("cuda device: V2-B0 is the reference's, with gradients") {
  if (const auto on = device()) check_network(*on, v2_b0, 80, 93);
}
TEST_CASE("cuda device: sessions that replay graphs leave the same bits") {
  if (const auto on = device()) check_session_graphs(*on);
}
TEST_CASE("cuda device: sessions that run at once record their own graphs") {
  if (const auto on = device()) check_sessions_at_once(*on);
}
TEST_CASE("cuda device: steps that replay graphs leave the same bits") {
  if (const auto on = device()) check_training_graphs(*on);
}
TEST_CASE("cuda device: what a loss is made of changes graphs") {
  if (const auto on = device()) check_loss_graphs(*on);
}
TEST_CASE("cuda device: a recording that fails leaves the device as it was") {
  if (const auto on = device()) check_failed_recordings(*on);
}
TEST_CASE("cuda device: without one a backend says so in a sentence") {
  const std::string why = effnet::cuda::why_no_device();
  if (why.empty()) {
    std::printf("SKIPPED: there is a CUDA device\n");
    return;
  }
  CHECK(why.starts_with("no CUDA device"));
  CHECK_THROWS_WITH_AS(cuda_backend(), why.c_str(), backend_error);
}
