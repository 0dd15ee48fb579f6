#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <set>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/training_sample.hpp>

#include "pictures.hpp"

using namespace effnet;
using effnet::testing::noise_picture;

namespace {

const input_rule plain{.mean = {0, 0, 0}, .deviation = {1, 1, 1}};

/// With a mean of 0 and a deviation of 1 a sample's floats are pixels.
std::vector<float> sample_of(const image& picture, const sample_look& look, const sample_key& key,
                             const input_rule& rule = plain) {
  const auto side = static_cast<std::size_t>(look.size);
  std::vector<float> made(side * side * 3, -1e9f);
  make_training_sample(picture, look, pixel_levels(rule), key, made.data());
  return made;
}

std::vector<float> floats_of(const image& picture) {
  return {picture.pixels.begin(), picture.pixels.end()};
}

/// Nothing but crop and resize.
sample_look bare(int size) {
  return {.size = size, .flip = 0};
}

}  // namespace

TEST_CASE("data: a sample is its crop, resized") {
  const image picture = noise_picture(90, 60);
  const sample_key key{1, 2, 3};
  random_draws draws(1, 2, 3, draw_purpose::crop);
  const crop_box box = random_crop(90, 60, v2_crop(), draws);
  const auto left = static_cast<float>(box.left), top = static_cast<float>(box.top);
  const image expected = resize(
      picture, 32, 32, interpolation::bilinear,
      {left, top, left + static_cast<float>(box.width), top + static_cast<float>(box.height)});
  CHECK(sample_of(picture, bare(32), key) == floats_of(expected));
}

TEST_CASE("data: a sample's pixels are normalised by channel") {
  const input_rule rule{.mean = {10, 20, 30}, .deviation = {2, 4, 8}};
  const image picture = noise_picture(16, 16);
  const std::vector<float> plain_sample = sample_of(picture, bare(8), {});
  const std::vector<float> sample = sample_of(picture, bare(8), {}, rule);
  for (std::size_t i = 0; i < sample.size(); ++i)
    CHECK(sample[i] == (plain_sample[i] - rule.mean[i % 3]) / rule.deviation[i % 3]);
  CHECK_THROWS_AS(pixel_levels(input_rule{.deviation = {1, 0, 1}}), shape_error);
}

TEST_CASE("data: a flip exchanges left and right and nothing else") {
  const image picture = noise_picture(20, 20);
  sample_look look = bare(20);
  look.whole = true;
  CHECK(sample_of(picture, look, {}) == floats_of(picture));
  look.flip = 1;
  const std::vector<float> flipped = sample_of(picture, look, {});
  for (std::size_t y = 0; y < 20; ++y)
    for (std::size_t x = 0; x < 20; ++x)
      for (std::size_t c = 0; c < 3; ++c)
        REQUIRE(flipped[(y * 20 + x) * 3 + c] ==
                static_cast<float>(picture.pixels[(y * 20 + 19 - x) * 3 + c]));
}

TEST_CASE("data: about half of the samples are flipped, other ones in every epoch") {
  sample_look look = bare(2);
  look.whole = true;
  look.flip = 0.5;
  image picture = make_image(2, 2);
  picture.pixels = {0, 0, 0, 9, 9, 9, 0, 0, 0, 9, 9, 9};
  int flips = 0, changes = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const bool first = sample_of(picture, look, {0, 0, i})[0] > 0;
    flips += first;
    changes += first != (sample_of(picture, look, {0, 1, i})[0] > 0);
  }
  CHECK(std::abs(flips - 500) < 80);
  CHECK(std::abs(changes - 500) < 80);
}

TEST_CASE("data: RandAugment and AutoAugment change what is flipped already") {
  const image picture = noise_picture(24, 24);
  for (const augment_rule rule : {augment_rule::released, augment_rule::standard}) {
    sample_look look = bare(24);
    look.whole = true;
    look.rule = rule;
    look.magnitude = 12;
    const sample_key key{7, 1, 5};
    look.augment = sample_augmentation::rand_augment;
    random_draws draws(7, 1, 5, draw_purpose::augment);
    CHECK(sample_of(picture, look, key) ==
          floats_of(rand_augment(picture, {.magnitude = 12, .rule = rule}, draws)));
    look.augment = sample_augmentation::auto_augment;
    draws = {7, 1, 5, draw_purpose::augment};
    CHECK(sample_of(picture, look, key) == floats_of(auto_augment(picture, {.rule = rule}, draws)));
  }
}

TEST_CASE("data: auto_or_rand is one of both, each in half of the cases") {
  const image picture = noise_picture(24, 24);
  sample_look look = bare(24);
  look.whole = true;
  look.augment = sample_augmentation::auto_or_rand;
  look.magnitude = 15;
  int rand = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    random_draws draws(3, 0, i, draw_purpose::augment);
    const bool is_rand = draws.bernoulli(0.5);
    rand += is_rand;
    const image expected = is_rand ? rand_augment(picture, {.magnitude = 15}, draws)
                                   : auto_augment(picture, {}, draws);
    REQUIRE(sample_of(picture, look, {3, 0, i}) == floats_of(expected));
  }
  CHECK(std::abs(rand - 100) < 40);
}

TEST_CASE("data: a magnitude of 0 turns RandAugment off") {
  const image picture = noise_picture(24, 24);
  sample_look look = bare(24);
  look.whole = true;
  look.augment = sample_augmentation::rand_augment;
  for (std::uint64_t i = 0; i < 20; ++i)
    CHECK(sample_of(picture, look, {0, 0, i}) == floats_of(picture));
}

TEST_CASE("data: the finetune look squashes the whole picture and covers a square with noise") {
  const int size = 42;
  sample_look look = bare(size);
  look.augment = sample_augmentation::finetune;
  const image picture = noise_picture(60, 30);
  const std::vector<float> whole = floats_of(resize(picture, size, size, interpolation::bilinear));
  std::size_t most = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    // pixels as they are, +1000, so that noise in [0, 1) cannot be one
    const std::vector<float> sample = sample_of(
        picture, look, {0, 0, i}, {.mean = {-1000, -1000, -1000}, .deviation = {1, 1, 1}});
    std::size_t covered = 0;
    int left = size, right = -1, top = size, bottom = -1;
    std::set<float> values;
    for (std::size_t p = 0; p < sample.size(); ++p) {
      if (sample[p] >= 1000) {
        REQUIRE(sample[p] == whole[p] + 1000);
        continue;
      }
      REQUIRE(sample[p] >= 0);
      REQUIRE(sample[p] < 1);
      values.insert(sample[p]);
      ++covered;
      const int x = static_cast<int>(p / 3) % size, y = static_cast<int>(p / 3) / size;
      left = std::min(left, x), right = std::max(right, x);
      top = std::min(top, y), bottom = std::max(bottom, y);
    }
    CHECK(covered == static_cast<std::size_t>((right - left + 1) * (bottom - top + 1)) * 3);
    CHECK(values.size() > covered * 9 / 10);
    most = std::max(most, covered);
  }
  CHECK(most == 20 * 20 * 3);  // 2 * (42 / 4) a side
}

TEST_CASE("data: random erasing is the last thing done to a sample") {
  const image picture = noise_picture(24, 24);
  sample_look look = bare(24);
  look.whole = true;
  look.random_erasing = 1;
  std::vector<float> expected = floats_of(picture);
  random_draws draws(4, 5, 6, draw_purpose::erase);
  random_erase({expected.data(), {1, 24, 24, 3}}, {.probability = 1}, draws);
  CHECK(sample_of(picture, look, {4, 5, 6}) == expected);
  CHECK(expected != floats_of(picture));
}

TEST_CASE("data: a reduction leaves the crop as many pixels as the sample has") {
  CHECK(sample_reduction({0, 0, 224, 300}, 224) == 1);
  CHECK(sample_reduction({0, 0, 447, 900}, 224) == 1);
  CHECK(sample_reduction({0, 0, 448, 448}, 224) == 2);
  CHECK(sample_reduction({0, 0, 4000, 447}, 224) == 1);
  CHECK(sample_reduction({9, 9, 512, 512}, 128) == 4);
  CHECK(sample_reduction({9, 9, 1024, 1024}, 128) == 8);
  CHECK(sample_reduction({9, 9, 100000, 100000}, 1) == 8);
  CHECK(sample_reduction({0, 0, 3, 3}, 224) == 1);
}

TEST_CASE("data: looks that cannot be are refused with a sentence") {
  check(sample_look{});
  CHECK_THROWS_AS(check(sample_look{.size = 0}), error);
  CHECK_THROWS_AS(check(sample_look{.size = 1 << 20}), error);
  CHECK_THROWS_AS(check(sample_look{.flip = 2}), error);
  CHECK_THROWS_AS(check(sample_look{.magnitude = -1}), error);
  CHECK_THROWS_AS(check(sample_look{.layers = -1}), error);
  CHECK_THROWS_AS(check(sample_look{.random_erasing = std::nanf("")}), error);
  CHECK_THROWS_AS(check(sample_look{.mixup = -1}), error);
  CHECK_THROWS_AS(check(sample_look{.crop = {.smallest_area = 2}}), error);
  check(sample_look{.crop = {.smallest_area = 2}, .whole = true});
}
