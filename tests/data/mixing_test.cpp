#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <effnet/data/mixing.hpp>

using namespace effnet;

namespace {

/// `count` images of one value each, 0, 1, ..., and of as many classes.
struct made_batch {
  std::vector<float> images, labels;
  labelled_batch view;

  made_batch(int count, int height, int width, int channels = 3) {
    const auto n = static_cast<std::size_t>(count);
    const shape4 shape{count, height, width, channels};
    images.resize(shape.elements());
    labels.resize(n * n);
    for (std::size_t i = 0; i < images.size(); ++i)
      images[i] = static_cast<float>(i / (images.size() / n));
    for (std::size_t i = 0; i < n; ++i) labels[i * n + i] = 1;
    view = {{images.data(), shape}, labels, count};
  }
  made_batch(const made_batch&) = delete;

  float share(int i, int of) const {
    return labels[static_cast<std::size_t>(i * view.classes + of)];
  }
  float pixel(int i, int y, int x) const {
    const shape4& s = view.images.shape;
    return images[static_cast<std::size_t>(((i * s.h + y) * s.w + x) * s.c)];
  }
};

}  // namespace

TEST_CASE("data: mixup mixes images and labels with the reversed batch, each by its own share") {
  made_batch batch(4, 2, 2);
  mixup(batch.view, std::vector<double>{0.75, 0.5, 1, 0.5});
  CHECK(batch.pixel(0, 0, 0) == 0.75f * 0 + 0.25f * 3);
  CHECK(batch.pixel(1, 1, 1) == 1.5f);
  CHECK(batch.pixel(2, 0, 1) == 2);
  CHECK(batch.pixel(3, 0, 0) == 1.5f);
  CHECK(batch.share(0, 0) == 0.75f);
  CHECK(batch.share(0, 3) == 0.25f);
  CHECK(batch.share(2, 2) == 1);
  CHECK(batch.share(3, 0) == 0.5f);
}

TEST_CASE("data: the middle of an odd batch stays, and so does a batch of one") {
  made_batch batch(3, 1, 1), one(1, 1, 1), none(0, 1, 1);
  mixup(batch.view, std::vector<double>{0.6, 0.6, 0.6});
  CHECK(batch.pixel(1, 0, 0) == 1);
  CHECK(batch.share(1, 1) == 1);
  mix(one.view, {.mixup_alpha = 1, .cutmix_alpha = 1}, 1, 2);
  CHECK(one.share(0, 0) == 1);
}

TEST_CASE("data: cutmix takes each box from the reversed batch and weighs labels by its area") {
  made_batch batch(2, 4, 4);
  cutmix(batch.view, std::vector<crop_box>{{0, 0, 2, 2}, {1, 1, 3, 2}});
  CHECK(batch.pixel(0, 0, 0) == 1);
  CHECK(batch.pixel(0, 1, 1) == 1);  // in both boxes: exchanged
  CHECK(batch.pixel(1, 1, 1) == 0);
  CHECK(batch.pixel(0, 2, 2) == 0);
  CHECK(batch.pixel(1, 2, 3) == 0);
  CHECK(batch.pixel(1, 3, 3) == 1);
  CHECK(batch.share(0, 0) == 0.75f);
  CHECK(batch.share(0, 1) == 0.25f);
  CHECK(batch.share(1, 1) == 0.625f);
}

TEST_CASE("data: cutmix as released weighs all labels by the mean area") {
  made_batch batch(2, 4, 4);
  cutmix(batch.view, std::vector<crop_box>{{0, 0, 2, 2}, {0, 0, 4, 3}},
         cutmix_labels::by_mean_area);
  CHECK(batch.share(0, 0) == 0.5f);
  CHECK(batch.share(1, 1) == 0.5f);
}

TEST_CASE("data: mixup shares lie between a half and 1 and spread with alpha") {
  for (const auto& [alpha, mean] : {std::pair(0.2, 0.9045), std::pair(1.0, 0.75)}) {
    double sum = 0;
    constexpr int count = 50'000;
    for (std::uint64_t i = 0; i < count; ++i) {
      random_draws draws(1, 0, i, draw_purpose::mixup);
      const double share = mixup_share(alpha, draws);
      REQUIRE(share >= 0.5);
      REQUIRE(share <= 1);
      sum += share;
    }
    CHECK(sum / count == doctest::Approx(mean).epsilon(0.01));
  }
}

TEST_CASE("data: cutmix boxes lie inside and their sides keep the picture's proportion") {
  bool some_empty = false, some_large = false;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    random_draws draws(1, 0, i, draw_purpose::cutmix);
    const crop_box box = cutmix_box(64, 32, 1, draws);
    REQUIRE(box.left >= 0);
    REQUIRE(box.top >= 0);
    REQUIRE(box.width >= 0);
    REQUIRE(box.height >= 0);
    REQUIRE(box.left + box.width <= 64);
    REQUIRE(box.top + box.height <= 32);
    if (box.left > 0 && box.top > 0 && box.left + box.width < 64 && box.top + box.height < 32)
      REQUIRE(std::abs(box.width - 2 * box.height) <= 4);
    some_empty |= box.width * box.height == 0;
    some_large |= box.width * box.height > 1500;
  }
  CHECK(some_empty);
  CHECK(some_large);
}

TEST_CASE("data: with both on, the first half is mixed and the second cut, each within itself") {
  for (int count : {8, 7}) {
    const int half = count / 2;
    bool some_cut = false;
    made_batch batch(count, 8, 8);
    mix(batch.view, {.mixup_alpha = 1, .cutmix_alpha = 1}, 5, 6);
    for (int i = 0; i < count; ++i) {
      const int partner = i < half ? half - 1 - i : half + count - 1 - i;
      float sum = 0;
      for (int k = 0; k < count; ++k) {
        sum += batch.share(i, k);
        if (k != i && k != partner) CHECK(batch.share(i, k) == 0);
      }
      CHECK(sum == doctest::Approx(1));
      // Each image is as much of its partner as its labels say.
      float mean = 0;
      for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x) {
          const float value = batch.pixel(i, y, x);
          mean += value / 64;
          if (i >= half)
            CHECK((value == static_cast<float>(i) || value == static_cast<float>(partner)));
        }
      const float own = batch.share(i, i);
      const float other = partner == i ? 0 : batch.share(i, partner);
      CHECK(mean ==
            doctest::Approx(own * static_cast<float>(i) + other * static_cast<float>(partner)));
      some_cut |= i >= half && own < 1;
    }
    CHECK(some_cut);
  }
}

TEST_CASE("data: mixing is a function of seed and step, and off at alpha 0") {
  const auto mixed = [](std::uint64_t seed, std::uint64_t step, mixing_settings settings) {
    made_batch batch(6, 5, 4);
    mix(batch.view, settings, seed, step);
    return batch.images;
  };
  const mixing_settings both{.mixup_alpha = 0.5, .cutmix_alpha = 0.5};
  CHECK(mixed(1, 2, both) == mixed(1, 2, both));
  CHECK(mixed(1, 2, both) != mixed(1, 3, both));
  CHECK(mixed(1, 2, both) != mixed(2, 2, both));
  CHECK(mixed(1, 2, {}) == made_batch(6, 5, 4).images);
}

TEST_CASE("data: batches and settings that do not fit are refused") {
  made_batch batch(2, 4, 4);
  CHECK_THROWS_AS(mixup(batch.view, std::vector<double>{1}), shape_error);
  CHECK_THROWS_AS(cutmix(batch.view, std::vector<crop_box>{{0, 0, 5, 1}, {}}), shape_error);
  CHECK_THROWS_AS(cutmix(batch.view, std::vector<crop_box>{{}, {-1, 0, 1, 1}}), shape_error);
  CHECK_THROWS_AS(mix(batch.view, {.mixup_alpha = -1}, 0, 0), error);
  CHECK_THROWS_AS(mix(batch.view, {.cutmix_alpha = std::nan("")}, 0, 0), error);
  batch.view.classes = 3;
  CHECK_THROWS_AS(mix(batch.view, {}, 0, 0), shape_error);
}
