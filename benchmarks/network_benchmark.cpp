#include <benchmark/benchmark.h>

#include <optional>
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

// One forward pass of a network on the CPU backend.
namespace {
using namespace effnet;

void forward(benchmark::State& state, const network_spec* spec, int size, int batch, int threads) {
  static const network_spec* loaded = nullptr;  // the repetitions of a benchmark share a session
  static int loaded_threads = 0;
  static std::optional<session<cpu_backend>> runner;
  if (loaded != spec || loaded_threads != threads) {
    runner.emplace(
        dynamic_network<cpu_backend>{initial_weights(*spec, 1)}.make_session({.threads = threads}));
    loaded = spec, loaded_threads = threads;
  }
  const shape4 shape{batch, size, size, 3};
  std::vector<float> images(shape.elements());
  for (std::size_t i = 0; i < images.size(); ++i)
    images[i] = static_cast<float>(2 * uniform(1, i) - 1);
  runner->run({images.data(), shape});
  for (auto _ : state) benchmark::DoNotOptimize(runner->run({images.data(), shape}).logits.data);
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * static_cast<double>(count_macs(*spec, size)) * batch,
                         benchmark::Counter::kIsIterationInvariantRate);
}

void add(const std::string& name, const network_spec& spec, int size, int batch) {
  add_repeated(name, 20, [=, &spec](benchmark::State& state, int threads) {
    forward(state, &spec, size, batch, threads);
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
  add_machine_context();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
