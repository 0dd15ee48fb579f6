#include <benchmark/benchmark.h>
#include <omp.h>

#include <string>
#include <vector>

#include <effnet/cpu.hpp>

#include "../examples/short_spins.hpp"
#include "../tests/op_cases.hpp"

// Every distinct convolution of B0, V2-B0, V2-S and V2-M at their evaluation sizes, as the networks
// run it: batch 1, its activation fused. The label names oneDNN's kernel.
namespace {
using namespace effnet;

void convolution(benchmark::State& state, const testing::conv_case& at, int threads) {
  const cpu_backend on(threads);
  const auto scope = on.enter();
  const conv_problem& p = at.problem;
  const cpu_backend::conv op = on.plan_conv(p, at.then);
  const std::vector<float> weights(p.weights(), 0.01f), bias(static_cast<std::size_t>(p.out));
  const auto packed = op.pack(weights.data(), bias.data());
  std::vector<float> src(p.src.elements(), 0.5f), dst(p.dst().elements());
  const aligned_buffer scratch(op.scratch_bytes());
  for (auto _ : state)
    on.conv_forward(op, packed, {src.data(), p.src}, {dst.data(), p.dst()}, scratch.data());
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * static_cast<double>(p.macs()),
                                                 benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel(std::string(op.implementation()));
}
}  // namespace

int main(int argc, char** argv) {
  example::use_short_spins(argv);
  for (const network_spec* spec : {&b0, &v2_b0, &v2_s, &v2_m})
    for (const testing::conv_case& at : testing::network_conv_cases(*spec, spec->eval_size, 1))
      for (int threads : {1, omp_get_max_threads()})
        benchmark::RegisterBenchmark((at.name + "/threads:" + std::to_string(threads)).c_str(),
                                     convolution, at, threads)
            ->Unit(benchmark::kMicrosecond)
            ->UseRealTime();
  benchmark::AddCustomContext("isa", cpu::onednn_isa());
  benchmark::AddCustomContext("onednn", cpu::onednn_version());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
