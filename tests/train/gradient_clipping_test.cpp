#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

#include <effnet/train/gradient_clipping.hpp>

using namespace effnet;

namespace {

struct two_tensors {
  std::array<float, 2> first = {3, 4};
  std::array<float, 3> second = {0, 12, 0};

  double clip(double limit) {
    const std::array<std::span<float>, 2> all = {first, second};
    return clip_gradients(all, limit);
  }
};

}  // namespace

TEST_CASE("train: gradients are clipped tensor by tensor, then together") {
  two_tensors gradients;
  CHECK(gradients.clip(6) == doctest::Approx(13));
  // the second first falls to 6, then all from sqrt(25 + 36) to 6
  const double together = 6 / std::sqrt(61.0);
  CHECK(gradients.first[0] == doctest::Approx(3 * together));
  CHECK(gradients.first[1] == doctest::Approx(4 * together));
  CHECK(gradients.second[1] == doctest::Approx(6 * together));
  CHECK(gradients.clip(6) == doctest::Approx(6));
}

TEST_CASE("train: gradients within the limit, and a limit of zero, change nothing") {
  two_tensors gradients;
  CHECK(gradients.clip(13.5) == doctest::Approx(13));
  CHECK(gradients.clip(0) == doctest::Approx(13));
  CHECK(gradients.first == two_tensors{}.first);
  CHECK(gradients.second == two_tensors{}.second);
}

TEST_CASE("train: gradients that are not finite are left alone and seen in the norm") {
  two_tensors gradients;
  gradients.first[0] = std::numeric_limits<float>::infinity();
  CHECK(std::isinf(gradients.clip(1)));
  CHECK(gradients.second[1] == 12);
  gradients.first[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(gradients.clip(1)));
  CHECK(gradients.second[1] == 12);
}
