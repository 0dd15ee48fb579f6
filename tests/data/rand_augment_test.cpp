#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <effnet/data/auto_augment.hpp>
#include <effnet/data/rand_augment.hpp>

#include "pictures.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

random_draws draws_of(std::uint64_t sample) {
  return {1, 0, sample, draw_purpose::augment};
}

image applied(augment_op op, const image& picture, double magnitude, augment_rule rule,
              std::uint64_t sample = 0, const augment_constants& constants = {}) {
  random_draws draws = draws_of(sample);
  return apply(op, picture, magnitude, rule, constants, draws);
}

}  // namespace

TEST_CASE("data: operations get the arguments of their magnitude") {
  const image picture = noise_picture(40, 30);
  const auto released = augment_rule::released, standard = augment_rule::standard;
  CHECK(applied(augment_op::color, picture, 15, released) == color(picture, enhance_factor(15)));
  CHECK(applied(augment_op::posterize, picture, 10, released) == posterize(picture, 4));
  CHECK(applied(augment_op::posterize, picture, 20, released) == picture);
  CHECK(applied(augment_op::solarize, picture, 10, released) == invert(picture));
  CHECK(applied(augment_op::solarize, picture, 10, standard) == picture);
  CHECK(applied(augment_op::solarize_add, picture, 15, released) == solarize_add(picture, 165));
  CHECK(applied(augment_op::contrast, picture, 15, released) ==
        contrast_by_area(picture, enhance_factor(15)));
  CHECK(applied(augment_op::contrast, picture, 15, standard) ==
        contrast(picture, enhance_factor(10)));
  CHECK(applied(augment_op::brightness, picture, 5, released) == picture);
  CHECK(applied(augment_op::translate_x, noise_picture(128, 8), 13, released) ==
        translate_x(noise_picture(128, 8), 200));  // nothing is left
}

TEST_CASE("data: geometric operations go either way, half of the time") {
  const image picture = noise_picture(40, 30);
  int left = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const image moved = applied(augment_op::translate_x, picture, 1, augment_rule::released, i);
    const bool is_left = moved == translate_x(picture, 10);
    if (!is_left) REQUIRE(moved == translate_x(picture, -10));
    left += is_left;
  }
  CHECK(left > 440);
  CHECK(left < 560);
}

TEST_CASE("data: RandAugment picks each of the 16 operations as often and applies it always") {
  const image picture = noise_picture(8, 6);
  std::vector<int> count(augment_op_names.size());
  for (std::uint64_t i = 0; i < 16'000; ++i) {
    random_draws one = draws_of(i), other = draws_of(i);
    const image augmented = rand_augment(picture, {.layers = 1, .magnitude = 7}, one);
    const auto op = static_cast<augment_op>(other.integer(0, 16));
    REQUIRE(augmented == apply(op, picture, 7, augment_rule::released, {}, other));
    ++count[static_cast<std::size_t>(op)];
  }
  for (int c : count) CHECK(std::abs(c - 1000) < 130);
}

TEST_CASE("data: RandAugment's reach shortens what is told in pixels, and nothing else") {
  const image picture = noise_picture(24, 20);
  const augment_constants near{.translate = 25, .cutout = 10};
  int shortened = 0;
  for (std::uint64_t i = 0; i < 500; ++i) {
    random_draws one = draws_of(i), other = draws_of(i), plain = draws_of(i);
    const image augmented =
        rand_augment(picture, {.layers = 1, .magnitude = 6, .reach = 0.25}, one);
    const auto op = static_cast<augment_op>(other.integer(0, 16));
    REQUIRE(augmented == apply(op, picture, 6, augment_rule::released, near, other));
    const bool in_pixels =
        op == augment_op::translate_x || op == augment_op::translate_y || op == augment_op::cutout;
    const bool same = augmented == rand_augment(picture, {.layers = 1, .magnitude = 6}, plain);
    REQUIRE((in_pixels || same));
    shortened += !same;
  }
  CHECK(shortened > 50);
}

TEST_CASE("data: RandAugment is a function of picture, settings and draws") {
  const image picture = noise_picture(24, 20);
  const rand_augment_settings settings{.layers = 3, .magnitude = 12.5};
  int unlike = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    random_draws first = draws_of(i), again = draws_of(i), next = draws_of(i + 1);
    const image augmented = rand_augment(picture, settings, first);
    CHECK(augmented == rand_augment(picture, settings, again));
    unlike += augmented != rand_augment(picture, settings, next);
  }
  CHECK(unlike > 40);
  random_draws draws = draws_of(0);
  CHECK(rand_augment(picture, {.layers = 0}, draws) == picture);
}

TEST_CASE("data: augmentation runs at the smallest size and the largest magnitude") {
  for (std::uint64_t i = 0; i < 300; ++i) {
    random_draws draws = draws_of(i);
    const image tiny = rand_augment(noise_picture(1, 1), {.magnitude = most_magnitude}, draws);
    CHECK(tiny.pixels.size() == 3);
    CHECK(auto_augment(noise_picture(1, 2), {}, draws).pixels.size() == 6);
  }
}

TEST_CASE("data: senseless settings of RandAugment are refused") {
  random_draws draws = draws_of(0);
  CHECK_THROWS_AS(rand_augment(make_image(2, 2), {.layers = -1}, draws), error);
  CHECK_THROWS_AS(rand_augment(make_image(2, 2), {.layers = 0, .magnitude = -1}, draws), error);
  for (const double reach : {-0.1, 101.0, std::nan("")})
    CHECK_THROWS_AS(rand_augment(make_image(2, 2), {.layers = 0, .reach = reach}, draws), error);
  CHECK_THROWS_AS(rand_augment(image{}, {}, draws), shape_error);
}

TEST_CASE("data: policy v0 has 25 sub-policies of two steps") {
  std::map<std::string, int> count;
  double probability = 0, magnitude = 0;
  for (const sub_policy& sub : auto_augment_v0)
    for (const policy_step& step : sub) {
      ++count[std::string(augment_op_names[static_cast<std::size_t>(step.op)])];
      probability += step.probability;
      magnitude += step.magnitude;
    }
  CHECK(count == std::map<std::string, int>{{"AutoContrast", 2},
                                            {"Color", 9},
                                            {"Equalize", 12},
                                            {"Invert", 1},
                                            {"Posterize", 2},
                                            {"Rotate", 7},
                                            {"ShearX", 2},
                                            {"ShearY", 4},
                                            {"Solarize", 8},
                                            {"SolarizeAdd", 2},
                                            {"TranslateY", 1}});
  CHECK(probability == doctest::Approx(29.8));
  CHECK(magnitude == doctest::Approx(240));
}

TEST_CASE("data: AutoAugment does the steps of one sub-policy in order") {
  const image picture = noise_picture(24, 20);
  const augment_constants far{.translate = 250, .cutout = 100, .fill = augment_fill};
  for (std::uint64_t i = 0; i < 200; ++i) {
    random_draws one = draws_of(i), other = draws_of(i);
    image expected = picture;
    const auto which = static_cast<std::size_t>(other.integer(0, 25));
    for (const policy_step& step : auto_augment_v0[which])
      if (other.uniform() < step.probability)
        expected = apply(step.op, expected, step.magnitude, augment_rule::released, far, other);
    CHECK(auto_augment(picture, {}, one) == expected);
  }
}
