#include <doctest/doctest.h>

#include <vector>

#include <effnet/nn/training_network.hpp>
#include <effnet/reference/reference_training_backend.hpp>
#include <effnet/train/estimate_batch_norm.hpp>

#include "../oracle_fill.hpp"
#include "toy_network.hpp"

using namespace effnet;
using namespace effnet::testing;

TEST_CASE("train: estimated statistics are averages over all images") {
  training_network<reference_training_backend> net(initial_weights(toy_table(), 1));
  std::vector<std::vector<float>> images;
  std::vector<const_tensor_view> batches;
  for (int n : {4, 4, 2}) {
    const shape4 shape{n, 32, 32, 3};
    images.push_back(oracle_images(shape));
    for (float& pixel : images.back()) pixel = pixel * static_cast<float>(n) + 1;
    batches.push_back({images.back().data(), shape});
  }
  // The mean of the stem does not depend on statistics: the average over images is exact.
  std::vector<float> expected;
  std::size_t mean = 0;
  while (net.tensors()[mean].part != tensor_part::bn_running_mean) ++mean;
  for (const const_tensor_view& batch : batches) {
    net.estimate_statistics(batch, 1);
    expected.resize(net.values(mean).size());
    for (std::size_t k = 0; k < expected.size(); ++k)
      expected[k] += net.values(mean)[k] * static_cast<float>(batch.shape.n) / 10;
  }
  std::size_t given = 0;
  const auto next = [&]() -> const const_tensor_view* {
    return given < batches.size() ? &batches[given++] : nullptr;
  };
  CHECK(estimate_batch_norm(net, next) == 10);
  for (std::size_t k = 0; k < expected.size(); ++k)
    CHECK(net.values(mean)[k] == doctest::Approx(expected[k]).epsilon(1e-4));
  const std::vector<float> before(net.values(mean).begin(), net.values(mean).end());
  CHECK(estimate_batch_norm(net, next) == 0);
  CHECK(std::ranges::equal(net.values(mean), before));
}
