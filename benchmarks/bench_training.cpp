#include <benchmark/benchmark.h>

#include <memory>
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
// threads cost, "bf16" has 1x1 convolutions in bf16, where the processor has it. "peak_MB" is the
// most that the process held, so that it means something where one benchmark is chosen.
namespace {
using namespace effnet;

using step_trainer = trainer<training_network<cpu_training_backend>, rmsprop>;

struct prepared_step {
  prepared_step(const network_spec& spec, int size, int batch, int threads, bool deterministic,
                cpu_options options)
      : shape{batch, size, size, 3},
        images(shape.elements()),
        targets(static_cast<std::size_t>(batch) * static_cast<std::size_t>(spec.classes)),
        running(
            training_network<cpu_training_backend>(
                initial_weights(spec, 1), cpu_training_backend(threads, deterministic, options)),
            rmsprop{}, training_options{.averaged = false}) {
    for (std::size_t i = 0; i < images.size(); ++i)
      images[i] = static_cast<float>(2 * uniform(1, i) - 1);
    const auto classes = static_cast<std::size_t>(spec.classes);
    for (std::size_t n = 0; n < static_cast<std::size_t>(batch); ++n)
      targets[n * classes + n * 113 % classes] = 1;
    for (int untimed = 0; untimed < 2; ++untimed) step();
  }
  double step() {
    return running.step({.images = {images.data(), shape}, .targets = targets.data()}).loss;
  }

  shape4 shape;
  std::vector<float> images, targets;
  step_trainer running;
};

void add(const std::string& name, const network_spec& spec, int size, int batch,
         bool deterministic = false, cpu_options options = {}) {
  add_repeated(name, 5, [=, &spec](benchmark::State& state, int threads) {
    prepared_step& prepared =
        prepared_for<prepared_step>(name + '/' + std::to_string(threads), [&] {
          return std::make_unique<prepared_step>(spec, size, batch, threads, deterministic,
                                                 options);
        });
    for (auto _ : state) benchmark::DoNotOptimize(prepared.step());
    state.counters["images/s"] =
        benchmark::Counter(batch, benchmark::Counter::kIsIterationInvariantRate);
    state.counters["peak_MB"] = peak_megabytes();
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
  if (cpu::has_bf16()) {
    add("bf16_train_b0_224_n16", b0, 224, 16, false, {.bf16 = true});
    add("bf16_train_v2s_300_n8", v2_s, 300, 8, false, {.bf16 = true});
  }
  add_machine_context();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
