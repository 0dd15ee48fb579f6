#include <effnet/cuda/block_driver.hpp>
#include <effnet/cuda/depthwise_forward.hpp>

#include "../op_check.hpp"

// Sums for squeeze-excite's mean, taken where a depthwise convolution stores its result.
namespace {
using namespace effnet;
using namespace effnet::testing;

template <int Kernel, int Stride, int Width>
void check_sums(int channels) {
  const conv_problem p = make_case("", {2, 23, 38, channels}, channels, Kernel, Stride, channels,
                                   padding_rule::tf_same)
                             .problem;
  const conv_data data(p);  // noise: which tap is which changes no sum of results
  using kernel = cuda::depthwise_forward<float, Kernel, Stride, Width>;
  const unsigned parts = kernel::parts(p);
  const auto all = static_cast<std::size_t>(channels);
  std::vector<float> dst(p.dst().elements(), NAN), sums(2 * parts * all, NAN);
  const kernel k{p,
                 activation::silu,
                 {data.src.data(), data.src.size()},
                 {data.weights.data(), data.weights.size()},
                 {data.bias.data(), data.bias.size()},
                 {dst.data(), dst.size()},
                 {sums.data(), sums.size()}};
  cuda::block_driver().run(k);
  CHECK(parts > 1);
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t c = 0; c < all; ++c) {
      double expected = 0, got = 0;
      const std::size_t image = dst.size() / 2;
      for (std::size_t i = c; i < image; i += all) expected += double{dst[n * image + i]};
      for (std::size_t part = 0; part < parts; ++part)
        got += double{sums[(n * parts + part) * all + c]};
      CHECK(got == doctest::Approx(expected).epsilon(1e-5));
    }
  CHECK_THROWS_AS(cuda::block_driver::without_barrier(0).run(k), cuda::kernel_fault);
}
}  // namespace

TEST_CASE("cuda: driven: depthwise convolutions leave the sums of their results") {
  check_sums<3, 1, 4>(128);
  check_sums<5, 1, 4>(132);
  check_sums<3, 2, 1>(67);
  check_sums<5, 2, 1>(35);
}
