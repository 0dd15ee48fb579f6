#include <effnet/cuda/driven_device.hpp>
#include <effnet/cuda/gpu_backend.hpp>

#include "fit_checks.hpp"
#include "late_device.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;
}  // namespace

TEST_CASE("cuda: driven: a run is the same where the device makes images of bytes") {
  check_fit(cuda::gpu_backend<cuda::driven_device>{});
  check_fit(cuda::gpu_backend<cuda::driven_device>{}, sample_augmentation::rand_augment);
}
TEST_CASE("cuda: driven: a run is the same however late calls and uploads are") {
  check_fit(cuda::gpu_backend<late_device<true>>{});
  check_fit(cuda::gpu_backend<late_device<false>>{});
}
