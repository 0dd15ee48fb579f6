#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include <effnet/arch/models.hpp>
#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/nn/training_network.hpp>
#include <effnet/reference/reference_training_backend.hpp>

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

/// Norms of all gradients and running statistics after a forward and backward pass on the oracles'
/// images, or on images that differ from these in the last bit, by `variant`.
struct pass_result {
  double loss = 0;
  std::vector<double> norms;
  std::vector<std::vector<float>> first;  // elements of the gradients

  template <training_backend B>
  pass_result(training_network<B> net, const nlohmann::json& oracle, std::uint64_t variant) {
    const shape4 shape{oracle["batch"], oracle["size"], oracle["size"], 3};
    std::vector<float> images = oracle_images(shape);
    if (variant > 0)
      for (std::size_t i = 0; i < images.size(); ++i)
        images[i] = std::nextafter(images[i], uniform(variant, i) < 0.5 ? -2.0f : 2.0f);
    const auto classes = static_cast<std::size_t>(net.spec().classes);
    std::vector<float> targets(static_cast<std::size_t>(shape.n) * classes);
    for (std::size_t n = 0; n < static_cast<std::size_t>(shape.n); ++n)
      targets[n * classes + oracle["labels"][n].get<std::size_t>()] = 1;
    loss = net.forward_backward({.images = {images.data(), shape},
                                 .targets = targets.data(),
                                 .smoothing = oracle["label_smoothing"]});
    for (std::size_t i = 0; i < net.tensors().size(); ++i) {
      norms.push_back(norm(net.trained(i) ? net.gradient(i) : net.values(i)));
      const std::span<const float> gradient = net.gradient(i);
      first.emplace_back(gradient.begin(), gradient.begin() + std::ptrdiff_t(std::min<std::size_t>(
                                                                  4, gradient.size())));
    }
  }
};

/// One network of the file. In networks of ReLUs, rounding opens and closes gates: images that
/// differ in the last bit move the norms of ResNet-50 by up to 1.4 %. So these are judged by the
/// median over several such images.
template <training_backend B>
void compare(const B& on, const nlohmann::json& oracle) {
  const std::string key = oracle["model"];
  CAPTURE(key);
  const named_model model = model_by_name(key);
  const bool smooth = model.spec.act == activation::silu;
  const convention_name family = oracle["lib"] == "torchvision"
                                     ? convention_name::torchvision
                                     : model.family.value_or(convention_name::timm);
  const weights start = oracle_weights(model.spec, convention_for(family, model.spec));
  std::vector<pass_result> passes;
  for (std::uint64_t variant = 0; variant < (smooth ? 1u : 7u); ++variant)
    // The oracles moved their statistics by PyTorch's default momentum.
    passes.emplace_back(training_network<B>(start, on, {.bn_momentum = 0.1f}), oracle, variant);
  CHECK(passes[0].loss == doctest::Approx(oracle["loss"].get<double>()).epsilon(1e-5));

  const training_network<B> net(start, on);
  const double bound = smooth ? 1e-3 : 1e-2;
  double largest_norm = 0, worst = 0, worst_statistic = 0;
  for (const auto& expected : oracle["parameter_gradients"])
    largest_norm = std::max(largest_norm, expected["norm"].get<double>());
  std::size_t parameter = 0, statistic = 0;
  for (std::size_t i = 0; i < net.tensors().size(); ++i) {
    std::vector<double> found;
    for (const pass_result& pass : passes) found.push_back(pass.norms[i]);
    std::ranges::sort(found);
    REQUIRE(std::isfinite(found.back()));
    const double median = found[found.size() / 2];
    const nlohmann::json& expected = net.trained(i)
                                         ? oracle["parameter_gradients"][parameter++]
                                         : oracle["running_stats_after_one_forward"][statistic++];
    CAPTURE(expected["name"].get<std::string>());
    const double wanted = expected["norm"], difference = std::abs(median - wanted) / wanted;
    if (!net.trained(i)) {
      worst_statistic = worse(worst_statistic, difference);
    } else if (wanted < 1e-6 * largest_norm) {  // some gradients are zero by theory
      CHECK(found.back() < 1e-6 * largest_norm);
    } else {
      worst = worse(worst, difference);
      CHECK(difference < bound);
      for (std::size_t k = 0; smooth && k < expected["first"].size(); ++k)
        CHECK(std::abs(double{passes[0].first[i][k]} - expected["first"][k].get<double>()) <
              bound * wanted);
    }
  }
  CHECK(parameter == oracle["parameter_gradients"].size());
  CHECK(statistic == oracle["running_stats_after_one_forward"].size());
  CHECK(worst_statistic < 1e-5);
  MESSAGE(key << " on " << B::name() << ": loss " << passes[0].loss
              << ", largest difference of a gradient's norm " << worst
              << ", of a running statistic's " << worst_statistic);
}

template <training_backend B>
void compare_all(const B& on = B{}) {
  const auto path = shared_data("oracles/gradients.json");
  if (!path) return;
  std::ifstream file(*path);
  const nlohmann::json oracles = nlohmann::json::parse(file);
  REQUIRE(oracles.size() == 5);
  for (const auto& oracle : oracles) compare(on, oracle);
}
}  // namespace

TEST_SUITE_BEGIN("oracle");

TEST_CASE("nn: gradients of the cpu backend agree with timm and torchvision") {
  compare_all<cpu_training_backend>();
}

TEST_CASE("nn: gradients of the cpu backend without Winograd agree with timm and torchvision") {
  compare_all(cpu_training_backend(0, false, {.winograd = false}));
}

TEST_CASE("nn: gradients of the reference backend agree with timm and torchvision") {
  compare_all<reference_training_backend>();
}

TEST_SUITE_END();
