#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include <effnet/arch/models.hpp>
#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/reference/reference_training_backend.hpp>
#include <effnet/train/trainer.hpp>

#include "../oracle_fill.hpp"
#include "../shared_data.hpp"
#include "../worse.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

double norm(std::span<const float> values) {
  double sum = 0;
  for (float v : values) sum += double{v} * double{v};
  return std::sqrt(sum);
}

/// How far losses may be away, those of steps 5 and 6 apart, and tensors, as shares of their norms.
/// Six steps multiply rounding errors, of which Winograd has more.
struct trajectory_bounds {
  double early = 1e-4, late = 1e-4, tensors = 1e-3;
};

template <training_backend B>
void follow(const B& on = B{}, const trajectory_bounds& within = {}) {
  const auto path = shared_data("oracles/trajectory.json");
  if (!path) return;
  std::ifstream file(*path);
  const nlohmann::json oracle = nlohmann::json::parse(file);
  const network_spec& spec = v2_b0;
  trainer t{oracle_weights(spec, convention_for(convention_name::tf, spec)),
            rmsprop{.weight_decay = 1e-5},
            training_options{
                .rate = {.base = oracle["lr"], .decay = decay_rule::constant, .warmup_epochs = 0},
                .decayed = decay_set::kernels,
                .label_smoothing = oracle["label_smoothing"]},
            on,
            {.bn_momentum = oracle["bn_momentum_torch"]}};
  const shape4 shape{oracle["batch"], oracle["size"], oracle["size"], 3};
  std::vector<float> planes(shape.elements());
  const auto& losses = oracle["losses"];
  REQUIRE(losses.size() == 6);
  double worst = 0;
  for (std::size_t step = 0; step < losses.size(); ++step) {
    const std::uint64_t stream = (std::uint64_t{1} << 20) + 1 + step;
    for (std::size_t k = 0; k < planes.size(); ++k)
      planes[k] = static_cast<float>(2 * uniform(stream, k) - 1);
    const std::vector<float> images = nhwc(planes.data(), shape);
    std::vector<float> targets(static_cast<std::size_t>(shape.n) * 1000);
    for (std::size_t i = 0; i < static_cast<std::size_t>(shape.n); ++i)
      targets[i * 1000 + (step * 37 + i * 113) % 1000] = 1;
    const step_report report =
        t.step({.images = {images.data(), shape}, .targets = targets.data()});
    CHECK(std::abs(report.loss - losses[step].get<double>()) <
          (step < 4 ? within.early : within.late));
    worst = worse(worst, std::abs(report.loss - losses[step].get<double>()));
  }
  double worst_norm = 0, worst_average = 0;
  std::size_t index = 0;
  for (const auto& expected : oracle["final"]) {
    CAPTURE(expected.dump());
    const double wanted = expected["norm"], wanted_average = expected["ema_norm"];
    const double found = norm(t.values(index)), average = norm(t.average(index));
    CHECK(found == doctest::Approx(wanted).epsilon(within.tensors));
    CHECK(average == doctest::Approx(wanted_average).epsilon(within.tensors));
    worst_norm = worse(worst_norm, std::abs(found / wanted - 1));
    worst_average = worse(worst_average, std::abs(average / wanted_average - 1));
    for (std::size_t k = 0; k < expected["first"].size(); ++k)
      CHECK(std::abs(double{t.values(index)[k]} - expected["first"][k].get<double>()) <
            within.tensors * wanted);
    ++index;
  }
  CHECK(index == t.network().tensors().size());
  MESSAGE(B::name() << ": largest difference of a loss " << worst << ", of a tensor's norm "
                    << worst_norm << ", of an average's " << worst_average);
}
}  // namespace

TEST_SUITE_BEGIN("oracle");

TEST_CASE("train: six steps on the cpu backend agree with PyTorch") {
  follow(cpu_training_backend(), {.late = 1e-3});
}

TEST_CASE("train: six steps in bf16 stay near PyTorch's in fp32") {
  if (cpu::has_bf16())
    follow(cpu_training_backend(0, false, {.bf16 = true}),
           {.early = 6e-2, .late = 1e-1, .tensors = 4e-2});
  else
    std::puts("SKIPPED: this processor has no AVX512_BF16");
}

TEST_CASE("train: six steps on the cpu backend without Winograd agree with PyTorch") {
  follow(cpu_training_backend(0, false, {.winograd = false}));
}

TEST_CASE("train: six steps on the reference backend agree with PyTorch") {
  follow<reference_training_backend>();
}

TEST_SUITE_END();
