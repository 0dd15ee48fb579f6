#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <effnet/data/geometric_ops.hpp>

#include "pictures.hpp"

using namespace effnet;
using namespace effnet::testing;

TEST_CASE("data: positive translations move content to the left and up") {
  CHECK(reds(translate_x(grey_row({1, 2, 3, 4}), 1)) == std::vector<int>{2, 3, 4, 128});
  CHECK(reds(translate_x(grey_row({1, 2, 3, 4}), -2)) == std::vector<int>{128, 128, 1, 2});
  CHECK(reds(translate_x(grey_row({1, 2, 3, 4}), 0.6, 9)) == std::vector<int>{2, 3, 4, 9});
  image column = make_image(1, 3);
  column.pixels = {1, 1, 1, 2, 2, 2, 3, 3, 3};
  CHECK(reds(translate_y(column, 1)) == std::vector<int>{2, 3, 128});
  CHECK(reds(translate_y(column, -1)) == std::vector<int>{128, 1, 2});
}

TEST_CASE("data: a translation of the picture's size or more leaves the fill") {
  for (double pixels : {4.0, -4.0, 1e9, -1e9, 1e300, -1e300}) {
    CHECK(reds(translate_x(grey_row({1, 2, 3, 4}), pixels)) == std::vector<int>(4, 128));
    CHECK(reds(translate_y(grey_row({1, 2, 3, 4}), pixels)) == std::vector<int>(4, 128));
  }
}

TEST_CASE("data: quarter turns are exact and run counterclockwise") {
  image square = make_image(2, 2);
  square.pixels = {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4};
  CHECK(reds(rotate(square, 90)) == std::vector<int>{2, 4, 1, 3});
  CHECK(reds(rotate(square, -90)) == std::vector<int>{3, 1, 4, 2});
  const image picture = noise_picture(7, 7);
  CHECK(rotate(rotate(picture, 90), 90) == rotate(picture, 180));
  CHECK(rotate(picture, 0) == picture);
  CHECK(rotate(picture, 360) == picture);
  CHECK(rotate(picture, -270) == rotate(picture, 90));
}

TEST_CASE("data: shears keep the first row or column") {
  const image picture = noise_picture(20, 12);
  const image right = shear_x(picture, 0.5), down = shear_y(picture, 0.5);
  for (int x = 0; x < 20; ++x) CHECK(right.row(0)[x * 3] == picture.row(0)[x * 3]);
  for (int y = 0; y < 12; ++y) CHECK(down.row(y)[0] == picture.row(y)[0]);
  CHECK(right.row(10)[0] == picture.row(10)[5 * 3]);
  CHECK(right.row(10)[19 * 3] == 128);
  CHECK(shear_x(picture, 0) == picture);
  CHECK(shear_y(picture, 1e300).row(11)[19 * 3] == 128);
}

TEST_CASE("data: cutout fills a square of twice its half side, clipped at the border") {
  const auto filled = [](const image& picture) {
    int count = 0;
    for (int value : reds(picture)) count += value == 128;
    return count;
  };
  const image black = make_image(10, 8);
  CHECK(filled(cutout(black, 5, 4, 2)) == 16);
  CHECK(filled(cutout(black, 0, 0, 3)) == 9);
  CHECK(filled(cutout(black, 9, 7, 3)) == 16);
  CHECK(filled(cutout(black, 5, 4, 0)) == 0);
  CHECK(filled(cutout(black, -50, 4, 3)) == 0);
  CHECK(filled(cutout(black, 5, 4, std::numeric_limits<int>::max())) == 80);
  CHECK(cutout(black, 5, 4, 2).row(2)[3 * 3] == 128);
  CHECK(cutout(black, 5, 4, 2).row(6)[7 * 3] == 0);
}

TEST_CASE("data: flipping exchanges left and right, for odd and even widths") {
  CHECK(reds(flip_horizontally(grey_row({1, 2, 3}))) == std::vector<int>{3, 2, 1});
  image two = make_image(2, 1);
  two.pixels = {1, 2, 3, 4, 5, 6};
  CHECK(flip_horizontally(two).pixels == std::vector<std::uint8_t>{4, 5, 6, 1, 2, 3});
  CHECK(flip_horizontally(flip_horizontally(noise_picture(8, 3))) == noise_picture(8, 3));
}

TEST_CASE("data: moves by what is not finite are refused") {
  for (double argument : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS(rotate(make_image(2, 2), argument), shape_error);
    CHECK_THROWS_AS(shear_x(make_image(2, 2), argument), shape_error);
    CHECK_THROWS_AS(translate_y(make_image(2, 2), argument), shape_error);
  }
  CHECK_THROWS_AS(rotate(image{}, 10), shape_error);
}
