#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include <effnet/data/tone_ops.hpp>

#include "pictures.hpp"

using namespace effnet;
using namespace effnet::testing;

TEST_CASE("data: auto_contrast stretches each channel by itself and leaves flat ones") {
  image picture = make_image(3, 1);
  picture.pixels = {10, 0, 7, 20, 255, 7, 30, 1, 7};
  CHECK(auto_contrast(picture).pixels ==
        std::vector<std::uint8_t>{0, 0, 7, 127, 255, 7, 255, 1, 7});
}

TEST_CASE("data: equalize spreads the values evenly and leaves pictures of few pixels") {
  CHECK(equalize(grey_row({3, 4, 5})) == grey_row({3, 4, 5}));  // step 0
  std::vector<std::uint8_t> values;
  for (int i = 0; i < 512; ++i) values.push_back(static_cast<std::uint8_t>(100 + i / 128));
  // step = (512 - 128) / 255 = 1; the levels 0, 128, 256, 384 are clipped to 255.
  const std::vector<int> levels = reds(equalize(grey_row(values)));
  CHECK(levels[0] == 0);
  CHECK(levels[128] == 128);
  CHECK(levels[256] == 255);
  CHECK(levels[511] == 255);
}

TEST_CASE("data: inverting twice changes nothing") {
  const image picture = noise_picture(9, 5);
  CHECK(invert(picture).pixels[0] == 255 - picture.pixels[0]);
  CHECK(invert(invert(picture)) == picture);
}

TEST_CASE("data: posterize keeps the highest bits, from none to all") {
  const image row = grey_row({0, 1, 127, 128, 255});
  CHECK(reds(posterize(row, 0)) == std::vector<int>{0, 0, 0, 0, 0});
  CHECK(reds(posterize(row, 1)) == std::vector<int>{0, 0, 0, 128, 128});
  CHECK(reds(posterize(row, 4)) == std::vector<int>{0, 0, 112, 128, 240});
  CHECK(posterize(row, 8) == row);
  CHECK_THROWS_AS(posterize(row, 9), shape_error);
  CHECK_THROWS_AS(posterize(row, -1), shape_error);
}

TEST_CASE("data: solarize inverts from the threshold on") {
  const image row = grey_row({0, 127, 128, 255});
  CHECK(reds(solarize(row, 128)) == std::vector<int>{0, 127, 127, 0});
  CHECK(solarize(row, 0) == invert(row));
  CHECK(solarize(row, 256) == row);
}

TEST_CASE("data: solarize_add lightens what is below the threshold and clips") {
  const image row = grey_row({0, 100, 127, 128, 255});
  CHECK(reds(solarize_add(row, 110)) == std::vector<int>{110, 210, 237, 128, 255});
  CHECK(reds(solarize_add(row, 165)) == std::vector<int>{165, 255, 255, 128, 255});
  CHECK(reds(solarize_add(row, 2'000'000'000)) == std::vector<int>{255, 255, 255, 128, 255});
}

TEST_CASE("data: a picture without pixels is refused") {
  for (auto op : {auto_contrast, equalize, invert}) CHECK_THROWS_AS(op(image{}), shape_error);
  image torn = make_image(2, 2);
  torn.pixels.pop_back();
  CHECK_THROWS_AS(invert(torn), shape_error);
}
