#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <effnet/arch/count.hpp>
#include <effnet/cpu.hpp>
#include <effnet/resnet.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "../examples/short_spins.hpp"
#include "machine.hpp"
#include "repeated.hpp"

// One forward pass of a network on the CPU backend; "bf16" with 1x1 convolutions in bf16, where the
// processor has it. "peak_MB" is the most that the process held, so
// that it means something where one benchmark is chosen.
namespace {
using namespace effnet;

struct prepared_pass {
  prepared_pass(const network_spec& spec, int size, int batch, int threads, cpu_options options)
      : shape{batch, size, size, 3},
        images(shape.elements()),
        runner(dynamic_network<cpu_backend>{initial_weights(spec, 1), cpu_backend(0, options)}
                   .make_session({.threads = threads})) {
    for (std::size_t i = 0; i < images.size(); ++i)
      images[i] = static_cast<float>(2 * uniform(1, i) - 1);
    for (int untimed = 0; untimed < 3; ++untimed) run();
  }
  const float* run() { return runner.run({images.data(), shape}).logits.data; }

  shape4 shape;
  std::vector<float> images;
  session<cpu_backend> runner;
};

/// About as long for every network: 400 G multiply-adds, but enough passes for a minimum.
int passes_of(double macs) {
  return std::clamp(static_cast<int>(400e9 / macs), 10, 100);
}

void add(const std::string& name, const network_spec& spec, int size, int batch,
         cpu_options options = {}) {
  const double macs = static_cast<double>(count_macs(spec, size)) * batch;
  add_repeated(name, passes_of(macs), [=, &spec](benchmark::State& state, int threads) {
    prepared_pass& prepared = prepared_for<prepared_pass>(
        name + '/' + std::to_string(threads),
        [&] { return std::make_unique<prepared_pass>(spec, size, batch, threads, options); });
    for (auto _ : state) benchmark::DoNotOptimize(prepared.run());
    state.counters["GFLOP/s"] =
        benchmark::Counter(2e-9 * macs, benchmark::Counter::kIsIterationInvariantRate);
    state.counters["peak_MB"] = peak_megabytes();
  });
}
}  // namespace

int main(int argc, char** argv) {
  example::use_short_spins(argv);
  add("b0_224_n1", b0, 224, 1);
  add("b0_224_n16", b0, 224, 16);
  add("b4_380_n1", b4, 380, 1);
  add("v2b0_224_n1", v2_b0, 224, 1);
  add("v2s_384_n1", v2_s, 384, 1);
  add("v2s_384_n8", v2_s, 384, 8);
  add("v2m_480_n1", v2_m, 480, 1);
  add("resnet50_224_n1", resnet50, 224, 1);
  if (cpu::has_bf16()) {
    add("bf16_b0_224_n1", b0, 224, 1, {.bf16 = true});
    add("bf16_b4_380_n1", b4, 380, 1, {.bf16 = true});
    add("bf16_v2s_384_n1", v2_s, 384, 1, {.bf16 = true});
  }
  add_machine_context();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
