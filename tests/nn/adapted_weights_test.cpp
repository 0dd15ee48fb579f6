#include <doctest/doctest.h>

#include <effnet/nn/adapted_weights.hpp>
#include <effnet/nn/network.hpp>
#include <effnet/reference.hpp>
#include <effnet/v2.hpp>

#include "../oracle_fill.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {
std::vector<float> embedding_of(const weights& from, const std::vector<float>& images,
                                shape4 shape) {
  auto session = dynamic_network<reference_backend>(from).make_session();
  const outputs& out = session.run({images.data(), shape});
  return {out.embedding.data, out.embedding.data + out.embedding.shape.elements()};
}
}  // namespace

TEST_CASE("nn: a new classifier leaves all other tensors as they were") {
  const weights from = oracle_weights(v2_b0, convention_for(convention_name::tf, v2_b0));
  const weights adapted = with_new_classifier(from, 3, {"a", "b", "c"});
  CHECK(adapted.spec.classes == 3);
  CHECK(adapted.labels[2] == "c");
  check_weights(adapted);
  REQUIRE(adapted.tensors.size() == from.tensors.size());
  for (std::size_t i = 0; i + 2 < from.tensors.size(); ++i)
    CHECK(adapted.tensors[i].data == from.tensors[i].data);
  const auto* bias = reinterpret_cast<const float*>(adapted.tensors.back().data);
  CHECK(bias[0] == 0);
  CHECK_THROWS_WITH_AS(with_new_classifier(from, 3, {"a"}), doctest::Contains("1 class names"),
                       weight_error);
}

TEST_CASE("nn: a stem for one plane gives on grey what the three planes gave") {
  const weights from = oracle_weights(v2_b0, convention_for(convention_name::tf, v2_b0));
  const shape4 grey_shape{1, 40, 40, 1}, shape{1, 40, 40, 3};
  const std::vector<float> grey = oracle_images(grey_shape);
  std::vector<float> rgb;
  for (float value : grey) rgb.insert(rgb.end(), 3, value);
  const weights one = with_new_planes(from, 1);
  check_weights(one);
  const std::vector<float> expected = embedding_of(from, rgb, shape);
  const std::vector<float> got = embedding_of(one, grey, grey_shape);
  CHECK(largest_difference(got.data(), expected.data(), got.size()) <
        1e-4 * largest(expected.data(), got.size()));

  const weights six = with_new_planes(from, 6);
  std::vector<float> twice;
  const std::vector<float> images = oracle_images(shape);
  for (std::size_t p = 0; p < images.size(); p += 3)
    for (std::size_t k = 0; k < 6; ++k) twice.push_back(images[p + k % 3]);
  const std::vector<float> same = embedding_of(six, twice, {1, 40, 40, 6});
  const std::vector<float> before = embedding_of(from, images, shape);
  CHECK(largest_difference(same.data(), before.data(), same.size()) <
        1e-4 * largest(before.data(), same.size()));
  CHECK_THROWS_AS(with_new_planes(from, 0), weight_error);
}
