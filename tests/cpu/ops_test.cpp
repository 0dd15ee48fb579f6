#include <effnet/cpu.hpp>
#include <effnet/reference.hpp>

#include "../op_check.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

void compare(const conv_case& at, int threads) {
  CAPTURE(at.name);
  CAPTURE(threads);
  const conv_problem& p = at.problem;
  const conv_data data(p);
  const auto run = [&](const auto& on) {
    return run_conv(on, p, at.then, data.src, data.weights.data(), data.bias.data(), data.residual);
  };
  const std::vector<float> expected = run(reference_backend{}), got = run(cpu_backend(threads));
  CHECK(largest_difference(got.data(), expected.data(), expected.size()) < 2e-5);
}
}  // namespace

TEST_CASE("cpu: small and odd convolutions agree with the reference on one and two threads") {
  for (const conv_case& at : small_conv_cases())
    for (int threads : {1, 2}) compare(at, threads);
}

TEST_CASE("cpu: the layers of B0, V2-S and ResNet-50 agree with the reference at odd sizes") {
  for (const network_spec* spec : {&b0, &v2_s, &resnet50})
    for (const conv_case& at : network_conv_cases(*spec, 67, 1)) compare(at, 2);
}

TEST_CASE("cpu: a depthwise 1x1 on one pixel is not a fully connected layer") {
  for (int threads : {1, 2})
    compare(make_case("depthwise 1", {3, 1, 1, 24}, 24, 1, 1, 24, padding_rule::tf_same,
                      {.before = activation::silu}),
            threads);
}

TEST_CASE("cpu: more threads than OpenMP can start are refused") {
  CHECK_THROWS_WITH_AS(cpu_backend(100'000),
                       "the cpu backend cannot run on 100000 threads; ask for at most 1024",
                       backend_error);
  CHECK_THROWS_AS(cpu_backend(1).with_threads(1025), backend_error);
  CHECK(cpu_backend(1).with_threads(0).threads() == 1);
}

TEST_CASE("cpu: element-wise and pooling ops are what their definitions say") {
  check_elementwise(cpu_backend(1));
  check_elementwise(cpu_backend(2));
}

TEST_CASE(
    "cpu: no layer of any family falls back to oneDNN's reference or explicit matrix product") {
  const cpu_backend on(2);
  const auto scope = on.enter();
  for (const network_spec* spec : {&b0, &b3, &lite4, &v2_b0, &v2_s, &v2_xl, &resnet50})
    for (const padding_rule rule : {padding_rule::tf_same, padding_rule::symmetric})
      for (const conv_case& at : network_conv_cases(*spec, spec->eval_size, 1, rule)) {
        CAPTURE(at.name);
        const std::string ran(on.plan_conv(at.problem, at.then).implementation());
        CAPTURE(ran);
        if (at.problem.fully_connected()) continue;  // a matrix product is what it is
        CHECK(ran.find("ref") == std::string::npos);
        CHECK(ran.find("gemm:") == std::string::npos);
      }
}

TEST_CASE("cpu: every instruction set of an own kernel gives the same numbers") {
  const std::vector<float> src = noise(3 * 5 * 67, 1), gate = noise(67, 2);
  std::vector<float> expected(67), got(67), mean_expected(67), mean_got(67);
  cpu::detail::scale_portable(src.data(), gate.data(), expected.data(), 67);
  cpu::detail::mean_portable(src.data(), 3, 5, 67, 0, 67, mean_expected.data());
  const auto compare_with = [&](auto scale, auto mean) {
    scale(src.data(), gate.data(), got.data(), std::size_t{67});
    CHECK(got == expected);
    mean(src.data(), std::size_t{3}, std::size_t{5}, std::size_t{67}, std::size_t{0},
         std::size_t{67}, mean_got.data());
    CHECK(mean_got == mean_expected);
  };
  if (cpu::best_isa() == cpu::isa::portable) {
    MESSAGE("this CPU has neither AVX2 nor AVX-512: only the portable kernels ran");
    return;
  }
  compare_with(cpu::detail::scale_avx2, cpu::detail::mean_avx2);
  if (cpu::best_isa() == cpu::isa::avx512)
    compare_with(cpu::detail::scale_avx512, cpu::detail::mean_avx512);
}
