#include <effnet/cuda/driven_device.hpp>
#include <effnet/cuda/gpu_backend.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "gpu_checks.hpp"

// Kernels of the GPU, driven block by block on the processor with every access checked.
namespace {
using namespace effnet;
using namespace effnet::testing;
using driven_backend = cuda::gpu_backend<cuda::driven_device>;
static_assert(training_backend<driven_backend> && fuses_mbconv<driven_backend> &&
              fuses_squeeze_excite<driven_backend>);
}  // namespace

TEST_CASE("cuda: driven: element-wise and pooling ops are what their definitions say") {
  check_elementwise(driven_backend{});
  check_elementwise(driven_backend(cuda::products::bf16));
  check_elementwise(driven_backend(cuda::products::fp16));
}
TEST_CASE("cuda: driven: convolutions are what their definition says, in double") {
  check_convolutions(driven_backend{});
}
TEST_CASE("cuda: driven: gradients of convolutions are the reference's") {
  check_convolution_gradients(driven_backend{});
}
TEST_CASE("cuda: driven: tensor cores' convolutions and gradients are those of rounded numbers") {
  for (const auto of : {cuda::products::tf32, cuda::products::bf16, cuda::products::fp16})
    check_rounded_convolutions(driven_backend(of), of);
}
TEST_CASE("cuda: driven: images and rows of numbers are floats, whatever maps are") {
  for (const auto of :
       {cuda::products::fp32, cuda::products::tf32, cuda::products::bf16, cuda::products::fp16})
    check_float_sources(driven_backend(of), of);
}
TEST_CASE("cuda: driven: the two ops of MBConv are the ops that they are made of") {
  for (const auto of :
       {cuda::products::fp32, cuda::products::tf32, cuda::products::bf16, cuda::products::fp16}) {
    check_expand_depthwise(driven_backend(of), of);
    check_gated_convolution(driven_backend(of), of);
  }
}
TEST_CASE("cuda: driven: squeeze-excite's layers in one op are the layers one by one") {
  check_squeeze_excite(driven_backend{});
}
TEST_CASE("cuda: driven: batch norm and what follows it is the reference's, and its gradients") {
  check_norms(driven_backend{});
  check_norms(driven_backend(cuda::products::bf16));
}
TEST_CASE("cuda: driven: the other ops of training are what their definitions say") {
  check_training_ops(driven_backend{});
  check_training_ops(driven_backend(cuda::products::bf16));
}
TEST_CASE("cuda: driven: networks of every kind of block are the reference's, with gradients") {
  check_small_networks(driven_backend{});
  check_small_networks(driven_backend(cuda::products::bf16), bf16_tolerance);
}
TEST_CASE("cuda: driven: maps in bf16 and fp16 take half the memory") {
  for (const auto of : {cuda::products::bf16, cuda::products::fp16})
    check_memory(driven_backend{}, driven_backend(of));
}
TEST_CASE("cuda: driven: B0 is the reference's, with gradients" * doctest::test_suite("oracle")) {
  check_network(driven_backend{}, b0, 97, 80);
  check_network(driven_backend(cuda::products::bf16), b0, 97, 80, bf16_tolerance);
}
TEST_CASE("cuda: driven: V2-B0 is the reference's, with gradients" *
          doctest::test_suite("oracle")) {
  check_network(driven_backend{}, v2_b0, 80, 93);
}
