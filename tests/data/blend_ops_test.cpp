#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <effnet/data/blend_ops.hpp>

#include "pictures.hpp"

using namespace effnet;
using namespace effnet::testing;

TEST_CASE("data: the factor 1 changes nothing") {
  const image picture = noise_picture(17, 9);
  CHECK(color(picture, 1) == picture);
  CHECK(brightness(picture, 1) == picture);
  CHECK(contrast(picture, 1) == picture);
  CHECK(contrast_by_area(picture, 1) == picture);
  CHECK(sharpness(picture, 1) == picture);
}

TEST_CASE("data: the factor 0 gives the poor version") {
  const image picture = noise_picture(17, 9);
  for (int value : reds(brightness(picture, 0))) CHECK(value == 0);
  for (int value : reds(contrast(picture, 0))) CHECK(value == mean_luma(picture));
  const image grey = color(picture, 0);
  CHECK(grey.pixels[0] == luma(picture.pixels[0], picture.pixels[1], picture.pixels[2]));
  CHECK(grey.pixels[0] == grey.pixels[2]);
}

TEST_CASE("data: brightness multiplies, truncates and clips") {
  CHECK(reds(brightness(grey_row({0, 3, 100, 200}), 1.9)) == std::vector<int>{0, 5, 190, 255});
}

TEST_CASE("data: the released contrast moves away from a grey that the area alone decides") {
  CHECK(contrast_by_area(noise_picture(224, 224), 0).pixels[0] == 196);
  CHECK(contrast_by_area(noise_picture(256, 256), 0).pixels[0] == 255);
  CHECK(contrast_by_area(noise_picture(300, 300), 0).pixels[0] == 255);
  CHECK(contrast_by_area(noise_picture(15, 17), 0).pixels[0] == 0);
}

TEST_CASE("data: sharpness smooths the inside and keeps the border") {
  image dot = make_image(3, 3);
  for (std::size_t c = 0; c < 3; ++c) dot.pixels[3 * 4 + c] = 130;
  CHECK(reds(sharpness(dot, 0)) == std::vector<int>{0, 0, 0, 0, 50, 0, 0, 0, 0});
  CHECK(reds(sharpness(dot, 2))[4] == 210);
  for (const auto& [width, height] : {std::pair(2, 9), std::pair(9, 2), std::pair(1, 1)})
    CHECK(sharpness(noise_picture(width, height), 3) == noise_picture(width, height));
}

TEST_CASE("data: factors that are not finite are refused") {
  for (double factor : {std::nan(""), std::numeric_limits<double>::infinity(), 1e300}) {
    CHECK_THROWS_AS(color(make_image(2, 2), factor), shape_error);
    CHECK_THROWS_AS(sharpness(make_image(2, 2), factor), shape_error);
  }
  CHECK_THROWS_AS(contrast(image{}, 1), shape_error);
}
