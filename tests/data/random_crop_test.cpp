#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include <effnet/data/random_crop.hpp>

#include "pictures.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

crop_box box_of(std::uint64_t sample, int width, int height, const random_crop_settings& settings) {
  random_draws draws(1, 0, sample, draw_purpose::crop);
  return random_crop(width, height, settings, draws);
}

bool is_inside(const crop_box& box, int width, int height) {
  return box.left >= 0 && box.top >= 0 && box.width >= 1 && box.height >= 1 &&
         box.left + box.width <= width && box.top + box.height <= height;
}

}  // namespace

TEST_CASE("data: crops lie inside pictures of every shape") {
  for (const random_crop_settings& settings : {v2_crop(), v1_crop(), torchvision_crop()})
    for (const auto& [width, height] :
         {std::pair(1, 1), std::pair(2, 1), std::pair(1, 3), std::pair(7, 5), std::pair(500, 375),
          std::pair(1, 1000), std::pair(1000, 2), std::pair(60'000, 50'000)})
      for (std::uint64_t i = 0; i < 300; ++i) {
        CAPTURE(width);
        CAPTURE(height);
        REQUIRE(is_inside(box_of(i, width, height, settings), width, height));
      }
}

TEST_CASE("data: crops keep to their ranges of area and aspect") {
  for (const random_crop_settings& settings : {v2_crop(), v1_crop(), torchvision_crop()})
    for (std::uint64_t i = 0; i < 2000; ++i) {
      const crop_box box = box_of(i, 500, 375, settings);
      const double area = box.width * box.height / (500.0 * 375.0);
      const double aspect = static_cast<double>(box.width) / box.height;
      REQUIRE(area > settings.smallest_area - 0.005);
      REQUIRE(area <= settings.largest_area);
      if (box.width == 500 || box.height == 375) continue;  // may be a fallback
      REQUIRE(aspect > settings.smallest_aspect - 0.02);
      REQUIRE(aspect < settings.largest_aspect + 0.02);
    }
}

TEST_CASE("data: TensorFlow's rule draws the height evenly and leaves out the last place") {
  random_crop_settings square = v2_crop();
  square.smallest_aspect = square.largest_aspect = 1;
  square.smallest_area = 0.04;
  double sum = 0;
  int smallest = 1000, largest = 0;
  constexpr int count = 20'000;
  for (std::uint64_t i = 0; i < count; ++i) {
    const crop_box box = box_of(i, 100, 100, square);
    REQUIRE(box.width == box.height);
    if (box.height < 100) REQUIRE(box.top + box.height < 100);
    sum += box.height;
    smallest = std::min(smallest, box.height);
    largest = std::max(largest, box.height);
  }
  CHECK(smallest == 20);
  CHECK(largest == 100);
  CHECK(sum / count == doctest::Approx(60).epsilon(0.01));
}

TEST_CASE("data: torchvision's rule draws the area and the logarithm of the aspect evenly") {
  random_crop_settings settings = torchvision_crop();
  settings.largest_area = 0.5;  // so that every attempt fits
  double areas = 0, logarithms = 0;
  int last_places = 0;
  constexpr int count = 20'000;
  for (std::uint64_t i = 0; i < count; ++i) {
    const crop_box box = box_of(i, 1000, 1000, settings);
    areas += box.width * box.height / 1e6;
    logarithms += std::log(static_cast<double>(box.width) / box.height);
    last_places += box.top + box.height == 1000;
  }
  CHECK(areas / count == doctest::Approx(0.29).epsilon(0.01));
  CHECK(std::abs(logarithms / count) < 0.005);
  CHECK(last_places > 0);
}

TEST_CASE("data: where no attempt fits, each recipe falls back in its own way") {
  for (std::uint64_t i = 0; i < 20; ++i) {
    // A picture so narrow that no part of 5 % of its area has the aspect.
    CHECK(box_of(i, 2, 1000, v2_crop()) == crop_box{0, 0, 2, 1000});
    CHECK(box_of(i, 1000, 64, v1_crop(224)).height >= 8);
    CHECK(box_of(i, 10, 1000, v1_crop(224)) == crop_box{1, 496, 8, 8});
    CHECK(box_of(i, 9, 1000, torchvision_crop()) == crop_box{0, 494, 9, 12});
    CHECK(box_of(i, 1000, 9, torchvision_crop()) == crop_box{494, 0, 12, 9});
  }
  random_crop_settings never = torchvision_crop();
  never.attempts = 0;
  CHECK(box_of(0, 100, 90, never) == crop_box{0, 0, 100, 90});
}

TEST_CASE("data: V1 takes the centre where the part is the whole picture") {
  random_crop_settings whole = v1_crop(224);
  whole.smallest_area = whole.largest_area = 1;
  whole.smallest_aspect = whole.largest_aspect = 1;
  CHECK(box_of(0, 256, 256, whole) == crop_box{16, 16, 224, 224});
}

TEST_CASE("data: a box crops its part") {
  const image picture = noise_picture(10, 8);
  CHECK(crop(picture, crop_box{2, 3, 4, 5}) == crop(picture, 2, 3, 4, 5));
}

TEST_CASE("data: senseless ranges of crops are refused") {
  const auto refused = [](auto change) {
    random_crop_settings settings;
    change(settings);
    CHECK_THROWS_AS(check(settings), error);
  };
  refused([](random_crop_settings& s) { s.smallest_area = 0; });
  refused([](random_crop_settings& s) { s.largest_area = 1.01; });
  refused([](random_crop_settings& s) { s.smallest_area = std::nan(""); });
  refused([](random_crop_settings& s) { s.smallest_aspect = 2; });
  refused(
      [](random_crop_settings& s) { s.largest_aspect = std::numeric_limits<double>::infinity(); });
  refused([](random_crop_settings& s) { s.attempts = -1; });
  refused([](random_crop_settings& s) { s.centre_share = 0; });
  CHECK_THROWS_AS(box_of(0, 0, 5, v2_crop()), shape_error);
}
