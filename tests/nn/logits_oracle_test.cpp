#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include <effnet/arch/models.hpp>
#include <effnet/cpu.hpp>
#include <effnet/io/safetensors.hpp>
#include <effnet/nn/network.hpp>
#include <effnet/reference.hpp>

#include "../oracle_fill.hpp"
#include "../shared_data.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

/// "timm/tf_efficientnet_b0/2x224"
struct oracle_case {
  named_model model;
  convention_name family;
  int batch = 0, size = 0;

  explicit oracle_case(const std::string& key)
      : model(model_by_name(key.substr(key.find('/') + 1, key.rfind('/') - key.find('/') - 1))),
        family(key.starts_with("torchvision/") ? convention_name::torchvision
                                               : model.family.value_or(convention_name::timm)) {
    const std::string shape = key.substr(key.rfind('/') + 1);
    batch = std::stoi(shape.substr(0, shape.find('x')));
    size = std::stoi(shape.substr(shape.find('x') + 1));
  }
};

template <backend B>
void compare_logits(const B& on = B{}, double bound = 2e-4) {
  const auto path = shared_data("oracles/logits.safetensors");
  if (!path) return;
  const state_dict oracles = read_safetensors(path->string());
  REQUIRE(oracles.tensors.size() == 15);
  for (const auto& [key, expected] : oracles.tensors) {
    CAPTURE(key);
    const oracle_case at(key);
    const network_spec& spec = at.model.spec;
    dynamic_network<B> net{oracle_weights(spec, convention_for(at.family, spec)), on};
    auto session = net.make_session();
    const shape4 shape{at.batch, at.size, at.size, 3};
    const std::vector<float> images = oracle_images(shape);
    const outputs& out = session.run({images.data(), shape});
    const auto count = static_cast<std::size_t>(at.batch) * 1000;
    REQUIRE(expected.elements() == count);
    const auto* logits = reinterpret_cast<const float*>(expected.data);
    const double difference = largest_difference(out.logits.data, logits, count);
    MESSAGE(key << " on " << B::name() << ": largest difference "
                << difference / largest(logits, count) << " of the largest logit");
    CHECK(difference <= bound * largest(logits, count));
  }
}
}  // namespace

TEST_SUITE_BEGIN("oracle");

TEST_CASE("nn: the cpu backend agrees with timm and torchvision on every logits case") {
  compare_logits<cpu_backend>();
}

TEST_CASE("nn: the cpu backend without Winograd agrees on every logits case") {
  compare_logits(cpu_backend(0, {.winograd = false}));
}

TEST_CASE("nn: the cpu backend in bf16 stays near on every logits case") {
  if (cpu::has_bf16())
    compare_logits(cpu_backend(0, {.bf16 = true}), 1e-2);
  else
    std::puts("SKIPPED: this processor has no AVX512_BF16");
}

TEST_CASE("nn: the reference backend agrees with timm and torchvision on every logits case") {
  compare_logits<reference_backend>();
}

TEST_SUITE_END();
