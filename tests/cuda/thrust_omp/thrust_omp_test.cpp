#include <thrust/system/omp/execution_policy.h>

#include <effnet/cuda/driven_device.hpp>
#include <effnet/cuda/gpu_backend.hpp>
#include <effnet/cuda/thrust_for_each.cuh>

#include "../gpu_checks.hpp"

// What runs by Thrust on a device, by Thrust on OpenMP; kernels are driven.
namespace {
using namespace effnet;
using namespace effnet::testing;

struct thrust_omp_device : effnet::cuda::driven_device {
  static constexpr std::string_view name() { return "thrust-omp"; }

  template <class Function>
  void for_each_index(std::size_t count, const Function& function) const {
    effnet::cuda::thrust_for_each(thrust::omp::par, count, function);
  }
};
using thrust_omp_backend = effnet::cuda::gpu_backend<thrust_omp_device>;
static_assert(training_backend<thrust_omp_backend>);
}  // namespace

TEST_CASE("thrust: element-wise and pooling ops are what their definitions say") {
  check_elementwise(thrust_omp_backend{});
}
TEST_CASE("thrust: convolutions are what their definition says, in double") {
  check_convolutions(thrust_omp_backend{});
}
TEST_CASE("thrust: gradients of convolutions are the reference's") {
  check_convolution_gradients(thrust_omp_backend{});
}
TEST_CASE("thrust: batch norm and what follows it is the reference's, and its gradients") {
  check_norms(thrust_omp_backend{});
}
TEST_CASE("thrust: the other ops of training are what their definitions say") {
  check_training_ops(thrust_omp_backend{});
}
TEST_CASE("thrust: networks of every kind of block are the reference's, with gradients") {
  check_small_networks(thrust_omp_backend{});
}
