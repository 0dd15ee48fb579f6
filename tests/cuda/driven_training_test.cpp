#include <effnet/cuda/driven_device.hpp>
#include <effnet/cuda/gpu_backend.hpp>

#include "training_checks.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

/// A device whose memory the processor, it is claimed, does not reach.
struct far_device : cuda::driven_device {
  static constexpr bool host_memory = false;
};
}  // namespace

TEST_CASE("cuda: driven: training steps are the reference's, and go on from a checkpoint") {
  check_training(cuda::gpu_backend<cuda::driven_device>{});
}
TEST_CASE("cuda: driven: training in bf16 stays near the reference") {
  check_training_with(cuda::gpu_backend<cuda::driven_device>(cuda::products::bf16), rmsprop{},
                      0.01);
}
TEST_CASE("cuda: driven: training needs no memory that the processor reaches") {
  check_training_with(cuda::gpu_backend<far_device>{}, rmsprop{});
}
