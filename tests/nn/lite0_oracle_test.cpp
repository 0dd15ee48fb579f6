#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <string>

#include <effnet/cpu.hpp>
#include <effnet/lite.hpp>
#include <effnet/reference.hpp>
#include <effnet/weights.hpp>

#include "../oracle_fill.hpp"
#include "../shared_data.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

std::vector<std::size_t> top5(const float* logits) {
  std::vector<std::size_t> order(1000);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::partial_sort(order.begin(), order.begin() + 5, order.end(),
                    [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  order.resize(5);
  return order;
}

const float* floats_of(const state_dict& from, std::string_view name) {
  const raw_tensor* tensor = from.find(name);
  REQUIRE(tensor != nullptr);
  REQUIRE(tensor->type == dtype::f32);
  return reinterpret_cast<const float*>(tensor->data);
}

template <backend B>
void compare_photos() {
  const auto weights_path = shared_data("weights/efficientnet_lite0.safetensors");
  const auto logits_path = shared_data("oracles/lite0_dev_logits.safetensors");
  if (!weights_path || !logits_path) return;
  const network<lite0, B> net{read_weights(weights_path->string(), lite0)};
  const state_dict oracle = read_safetensors(logits_path->string());
  const shape4 shape{8, 224, 224, 3};
  const std::vector<float> images = nhwc(floats_of(oracle, "input"), shape);
  const float* expected = floats_of(oracle, "logits");

  auto session = net.make_session();
  const outputs& out = session.run({images.data(), shape});
  CHECK(largest_difference(out.logits.data, expected, 8000) < 1e-3);
  for (std::size_t n = 0; n < 8; ++n)
    CHECK(top5(out.logits.data + n * 1000) == top5(expected + n * 1000));
}

template <backend B>
void compare_activations() {
  const auto weights_path = shared_data("weights/efficientnet_lite0.safetensors");
  const auto input_path = shared_data("oracles/lite0_dev_logits.safetensors");
  const auto maps_path = shared_data("oracles/lite0_dev_activations_img0.safetensors");
  if (!weights_path || !input_path || !maps_path) return;
  const network<lite0, B> net{read_weights(weights_path->string(), lite0)};
  const state_dict input = read_safetensors(input_path->string());
  const state_dict maps = read_safetensors(maps_path->string());
  const shape4 shape{1, 224, 224, 3};
  const std::vector<float> image = nhwc(floats_of(input, "input"), shape);

  int compared = 0;
  auto session = net.make_session();
  session.run({image.data(), shape}, [&](std::string_view name, const const_tensor_view& map) {
    CAPTURE(std::string(name));
    const std::vector<float> expected = nhwc(floats_of(maps, name), map.shape);
    REQUIRE(maps.find(name)->elements() == map.shape.elements());
    const double scale = largest(expected.data(), expected.size());
    CHECK(largest_difference(map.data, expected.data(), expected.size()) <= 1e-4 * scale);
    ++compared;
  });
  CHECK(compared == 18);  // stem, 16 blocks, head
}
}  // namespace

TEST_SUITE_BEGIN("oracle");

TEST_CASE("nn: real Lite0 weights give the reference logits for real photos, cpu") {
  compare_photos<cpu_backend>();
}
TEST_CASE("nn: real Lite0 weights give the reference logits for real photos, reference") {
  compare_photos<reference_backend>();
}
TEST_CASE("nn: every block of Lite0 gives the reference activations, cpu") {
  compare_activations<cpu_backend>();
}
TEST_CASE("nn: every block of Lite0 gives the reference activations, reference") {
  compare_activations<reference_backend>();
}

TEST_SUITE_END();
