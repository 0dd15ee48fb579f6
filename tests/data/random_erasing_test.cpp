#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <effnet/data/random_erasing.hpp>

using namespace effnet;

namespace {

constexpr float untouched = 7;

std::vector<float> erased(std::uint64_t sample, const erasing_settings& settings, int height = 40,
                          int width = 30) {
  const shape4 shape{1, height, width, 3};
  std::vector<float> values(shape.elements(), untouched);
  random_draws draws(1, 0, sample, draw_purpose::erase);
  random_erase({values.data(), shape}, settings, draws);
  return values;
}

std::size_t count_changed(const std::vector<float>& values) {
  std::size_t count = 0;
  for (float value : values) count += value != untouched;
  return count;
}

}  // namespace

TEST_CASE("data: pictures are erased as often as asked, within the range of areas") {
  int hit = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const std::size_t changed = count_changed(erased(i, {.probability = 0.25}));
    if (changed == 0) continue;
    ++hit;
    const double share = static_cast<double>(changed) / (40 * 30 * 3);
    CHECK(share > 0.01);
    CHECK(share < 0.36);
  }
  CHECK(hit == doctest::Approx(1000).epsilon(0.1));
  CHECK(count_changed(erased(0, {.probability = 0})) == 0);
}

TEST_CASE("data: an erased part is zero, one color or noise") {
  for (std::uint64_t i = 0; i < 20; ++i) {
    std::set<float> zero, color, noise;
    for (float v : erased(i, {.probability = 1, .fill = erase_fill::zero})) zero.insert(v);
    for (float v : erased(i, {.probability = 1, .fill = erase_fill::one_color})) color.insert(v);
    for (float v : erased(i, {.probability = 1, .fill = erase_fill::noise})) noise.insert(v);
    CHECK(zero == std::set<float>{0, untouched});
    CHECK(color.size() == 4);
    CHECK(noise.size() > 40);
  }
}

TEST_CASE("data: erasing boxes are smaller than the picture, and empty where none fits") {
  for (std::uint64_t i = 0; i < 2000; ++i) {
    random_draws draws(1, 0, i, draw_purpose::erase);
    const crop_box box = erasing_box(30, 40, {}, draws);
    REQUIRE(box.left + box.width <= 30);
    REQUIRE(box.top + box.height <= 40);
    REQUIRE(box.width < 30);
    REQUIRE(box.height < 40);
  }
  random_draws draws(1, 0, 0, draw_purpose::erase);
  CHECK(erasing_box(1, 1, {}, draws) == crop_box{});
  CHECK(count_changed(erased(0, {.probability = 1}, 1, 1)) == 0);
}

TEST_CASE("data: senseless erasing is refused") {
  CHECK_THROWS_AS(erased(0, {.probability = 1.5}), error);
  CHECK_THROWS_AS(erased(0, {.probability = std::nan("")}), error);
  CHECK_THROWS_AS(erased(0, {.smallest_area = 0.5, .largest_area = 0.1}), error);
  std::vector<float> two(2 * 4 * 4 * 3);
  random_draws draws(1, 0, 0, draw_purpose::erase);
  CHECK_THROWS_AS(random_erase({two.data(), {2, 4, 4, 3}}, {}, draws), shape_error);
}
