#include <benchmark/benchmark.h>

#include <optional>
#include <string>
#include <vector>

#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/resnet.hpp>
#include <effnet/train/trainer.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "../examples/short_spins.hpp"
#include "machine.hpp"
#include "repeated.hpp"

// One training step (forward, backward, TensorFlow's RMSProp) on the CPU backend, without moving
// averages, as the other systems are timed; "deterministic" is what the same bits on any number of
// threads cost. "peak_MB" is the most that the process held, so that it means something where one
// benchmark is chosen.
namespace {
using namespace effnet;

using step_trainer = trainer<training_network<cpu_training_backend>, rmsprop>;

void train(benchmark::State& state, const network_spec* spec, int size, int batch, int threads,
           bool deterministic) {
  struct choice {
    const network_spec* spec;
    int threads;
    bool deterministic;
    bool operator==(const choice&) const = default;
  };
  static std::optional<choice> loaded;  // the repetitions of a benchmark share a trainer
  static std::optional<step_trainer> running;
  if (const choice wanted{spec, threads, deterministic}; loaded != wanted) {
    running.reset();
    running.emplace(training_network<cpu_training_backend>(
                        initial_weights(*spec, 1), cpu_training_backend(threads, deterministic)),
                    rmsprop{}, training_options{.averaged = false});
    loaded = wanted;
  }
  const shape4 shape{batch, size, size, 3};
  std::vector<float> images(shape.elements());
  for (std::size_t i = 0; i < images.size(); ++i)
    images[i] = static_cast<float>(2 * uniform(1, i) - 1);
  const auto classes = static_cast<std::size_t>(spec->classes);
  std::vector<float> targets(static_cast<std::size_t>(batch) * classes);
  for (std::size_t n = 0; n < static_cast<std::size_t>(batch); ++n)
    targets[n * classes + n * 113 % classes] = 1;
  const step_batch given{.images = {images.data(), shape}, .targets = targets.data()};
  running->step(given);
  for (auto _ : state) benchmark::DoNotOptimize(running->step(given).loss);
  state.counters["images/s"] =
      benchmark::Counter(batch, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["peak_MB"] = peak_megabytes();
}

void add(const std::string& name, const network_spec& spec, int size, int batch,
         bool deterministic = false) {
  add_repeated(name, 5, [=, &spec](benchmark::State& state, int threads) {
    train(state, &spec, size, batch, threads, deterministic);
  });
}
}  // namespace

int main(int argc, char** argv) {
  example::use_short_spins(argv);
  add("train_b0_224_n16", b0, 224, 16);
  add("train_v2b0_192_n16", v2_b0, 192, 16);
  add("train_v2s_128_n16", v2_s, 128, 16);
  add("train_v2s_300_n8", v2_s, 300, 8);
  add("deterministic_b0_224_n16", b0, 224, 16, true);
  add("deterministic_v2s_128_n16", v2_s, 128, 16, true);
  add("train_resnet50_224_n16", resnet50, 224, 16);
  add_machine_context();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
