#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include <effnet/core/rng.hpp>
#include <effnet/data/shapes.hpp>

using namespace effnet;

namespace {

std::uint64_t digest(const image& picture) {
  std::uint64_t sum = 0;
  for (std::uint8_t value : picture.pixels) sum = mix64(sum ^ value);
  return sum;
}

double mean_difference(const image& a, const image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

image halved(const image& from) {
  image to = make_image(from.width / 2, from.height / 2);
  for (int y = 0; y < to.height; ++y)
    for (int x = 0; x < to.width; ++x)
      for (int c = 0; c < 3; ++c) {
        const auto at = [&](int dy, int dx) {
          return int{from.row(2 * y + dy)[(2 * x + dx) * 3 + c]};
        };
        to.row(y)[x * 3 + c] =
            static_cast<std::uint8_t>((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4);
      }
  return to;
}

}  // namespace

TEST_CASE("data: ten consecutive shapes hold every class once, in changing order") {
  std::set<std::string> orders;
  for (std::uint64_t block = 0; block < 50; ++block) {
    std::set<figure> seen;
    std::string order;
    for (std::uint64_t i = 0; i < 10; ++i) {
      seen.insert(shapes_label(5, block * 10 + i));
      order += static_cast<char>('0' + static_cast<int>(shapes_label(5, block * 10 + i)));
    }
    CHECK(seen.size() == 10);
    orders.insert(order);
  }
  CHECK(orders.size() > 45);
}

TEST_CASE("data: a shape's pixels depend on seed and number alone and are the same everywhere") {
  CHECK(shapes_image(1, 2, 40) == shapes_image(1, 2, 40));
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < 20; ++i) sum = mix64(sum ^ digest(shapes_image(7, i, 48)));
  CHECK(sum == 2515059960643857644u);
  CHECK(digest(shapes_image(7, 0, 48)) != digest(shapes_image(8, 0, 48)));
  CHECK(digest(shapes_image(7, 0, 48)) != digest(shapes_image(7, 10, 48)));
}

TEST_CASE("data: a shape at another size is the same scene") {
  for (std::uint64_t i = 0; i < 30; ++i) {
    const image small = shapes_image(3, i, 48);
    CHECK(mean_difference(halved(shapes_image(3, i, 96)), small) < 10);
    CHECK(mean_difference(shapes_image(3, i + 1, 48), small) > 14);
  }
}

TEST_CASE("data: shapes are made from 1 pixel a side on, and refused below") {
  for (int size : {1, 2, 3, 7, 33, 300}) {
    const image made = shapes_image(1, 4, size);
    CHECK(made.width == size);
    CHECK(made.height == size);
    CHECK(made.pixels.size() == static_cast<std::size_t>(3 * size * size));
  }
  CHECK_THROWS_AS(shapes_image(1, 4, 0), shape_error);
  CHECK_THROWS_AS(shapes(10, 1, -3), shape_error);
  CHECK_THROWS_AS(shapes(0), error);
}

TEST_CASE(
    "data: no figure is another one turned by a quarter or mirrored, and none leaves its box") {
  constexpr int step = 64;
  const auto area_in_common = [](figure a, figure b, int quarters, bool mirrored) {
    int common = 0, either = 0;
    for (int u = -5000; u <= 5000; u += step)
      for (int v = -5000; v <= 5000; v += step) {
        int turned_u = mirrored ? -u : u, turned_v = v;
        for (int q = 0; q < quarters; ++q) {
          const int before = turned_u;
          turned_u = -turned_v;
          turned_v = before;
        }
        const bool in_a = detail::covers(a, u, v), in_b = detail::covers(b, turned_u, turned_v);
        common += in_a && in_b;
        either += in_a || in_b;
      }
    return static_cast<double>(common) / either;
  };
  for (int a = 0; a < 10; ++a)
    for (int b = 0; b < a; ++b)
      for (int quarters = 0; quarters < 4; ++quarters)
        for (bool mirrored : {false, true}) {
          CAPTURE(figure_names[static_cast<std::size_t>(a)]);
          CAPTURE(figure_names[static_cast<std::size_t>(b)]);
          CHECK(area_in_common(static_cast<figure>(a), static_cast<figure>(b), quarters, mirrored) <
                0.85);
        }
  int outside = 0;
  for (int a = 0; a < 10; ++a)
    for (int u = -9000; u <= 9000; u += step)
      for (int v = -9000; v <= 9000; v += step)
        outside += u * u + v * v > detail::figure_reach * detail::figure_reach &&
                   detail::covers(static_cast<figure>(a), u, v);
  CHECK(outside == 0);
}

TEST_CASE("data: shapes as a data set") {
  const shapes set(30, 9, 24);
  CHECK(set.count() == 30);
  CHECK(set.classes().size() == 10);
  CHECK(set.classes()[5] == "star");
  for (std::size_t i = 0; i < set.count(); ++i) {
    CHECK(set.label(i) == static_cast<int>(shapes_label(9, i)));
    CHECK(set.image(i) == shapes_image(9, i, 24));
  }
  CHECK(set.name(3) == "shape 3 of seed 9");
}
