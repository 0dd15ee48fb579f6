#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/any_data_set.hpp>
#include <effnet/data/hold_out.hpp>
#include <effnet/data/loader.hpp>
#include <effnet/data/sample_maker.hpp>
#include <effnet/data/validation_sample.hpp>
#include <effnet/io/encode.hpp>

#include "../io/made_images.hpp"
#include "pictures.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

const input_rule plain{.mean = {0, 0, 0}, .deviation = {1, 1, 1}};

/// Files in memory, which are counted when they are asked for.
struct files_in_memory {
  std::vector<file_data> files;
  std::vector<std::string> names{"one"};
  std::shared_ptr<std::vector<std::atomic<int>>> asked =
      std::make_shared<std::vector<std::atomic<int>>>(100);

  std::size_t count() const { return files.size(); }
  const std::vector<std::string>& classes() const { return names; }
  int label(std::size_t) const { return 0; }
  effnet::image image(std::size_t i) const { return decode_image(files[i], name(i)); }
  std::string name(std::size_t i) const { return sentence("file ", i); }
  std::optional<encoded_image> encoded(std::size_t i) const {
    ++(*asked)[i];
    return encoded_image{nullptr, files[i], name(i)};
  }
};
static_assert(encoded_set<files_in_memory>);

/// The same without the files.
struct pictures_only {
  const files_in_memory* from;
  std::size_t count() const { return from->count(); }
  const std::vector<std::string>& classes() const { return from->classes(); }
  int label(std::size_t) const { return 0; }
  effnet::image image(std::size_t i) const { return from->image(i); }
  std::string name(std::size_t i) const { return from->name(i); }
};
static_assert(!encoded_set<pictures_only>);

/// Smooth, so that the ways to make it smaller hardly differ.
image smooth_picture(int width, int height) {
  image made = make_image(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = made.row(y) + x * 3;
      pixel[0] = static_cast<std::uint8_t>(x * 255 / width);
      pixel[1] = static_cast<std::uint8_t>(y * 255 / height);
      pixel[2] = static_cast<std::uint8_t>((x + y) * 255 / (width + height));
    }
  return made;
}

template <data_set Set>
std::vector<float> sample_of(sample_maker<Set>& maker, std::size_t i, const sample_look& look,
                             std::uint64_t epoch = 0) {
  const auto side = static_cast<std::size_t>(look.size);
  std::vector<float> made(side * side * 3);
  maker.make(i, epoch, look, made.data());
  return made;
}

double mean_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::fabs(static_cast<double>(a[i] - b[i]));
  return sum / static_cast<double>(a.size());
}

jpeg_kind turned(int orientation) {
  return {.app1 = std::string("Exif\0\0", 6) + exif_with_orientation(orientation, true)};
}

}  // namespace

TEST_CASE("data: a sample of a JPEG is made from no more pixels than it needs") {
  const files_in_memory set{{made_jpeg(smooth_picture(403, 301))}};
  sample_maker maker(set, plain, 5);
  int reduced = 0;
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) {
    const sample_look look{.size = 60};
    const sample_key key{5, epoch, 0};
    const crop_box box = sample_box(403, 301, look, key);
    const int by = sample_reduction(box, 60);
    reduced += by > 1;
    const image picture = decode_image(set.files[0], "", {.reduction = by});
    CHECK(picture.width == (403 + by - 1) / by);
    std::vector<float> expected(60 * 60 * 3);
    make_training_sample(picture, box, by, look, pixel_levels(plain), key, expected.data());
    CHECK(sample_of(maker, 0, look, epoch) == expected);
  }
  CHECK(reduced > 10);
  CHECK(reduced < 20);
}

TEST_CASE("data: a reduced picture shows what the full one does, however it is turned") {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const files_in_memory set{{made_jpeg(smooth_picture(405, 299), turned(orientation))}};
    const pictures_only full_set{&set};
    sample_maker reduced(set, plain, 5);
    sample_maker full(full_set, plain, 5);
    // Where the file's right or lower edge, which reductions round up, becomes the left or upper
    // one, what is seen moves by less than a reduced pixel.
    const double near = orientation == 1 || orientation == 5 ? 0.5 : 2;
    for (std::uint64_t epoch = 0; epoch < 10; ++epoch) {
      CAPTURE(orientation);
      const sample_look look{.size = 48};
      CHECK(mean_difference(sample_of(reduced, 0, look, epoch), sample_of(full, 0, look, epoch)) <
            near);
    }
    sample_look whole{.size = 48};
    whole.whole = true;
    CHECK(mean_difference(sample_of(reduced, 0, whole), sample_of(full, 0, whole)) < near);
  }
}

TEST_CASE("data: a PNG gives the same sample whether its file is given or its picture") {
  const image picture = noise_picture(300, 200);
  const auto png = encode_png(picture);
  const auto* begin = reinterpret_cast<const std::byte*>(png.data());
  const files_in_memory set{{file_data(begin, begin + png.size())}};
  const pictures_only full_set{&set};
  sample_maker encoded(set, plain, 1);
  sample_maker full(full_set, plain, 1);
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch)
    CHECK(sample_of(encoded, 0, {.size = 20}, epoch) == sample_of(full, 0, {.size = 20}, epoch));
}

TEST_CASE("data: samples are the same with any cache, and files are not read again") {
  files_in_memory set;
  for (std::uint64_t i = 0; i < 6; ++i)
    set.files.push_back(i % 3 == 0 ? made_png(90, 70, noise_picture(90, 70, i).pixels)
                                   : made_jpeg(sample_image(200, 150, i)));
  const sample_look look{.size = 24};
  sample_maker plainly(set, plain, 2);
  std::vector<std::vector<float>> expected;
  for (std::uint64_t epoch = 0; epoch < 40; ++epoch)
    for (std::size_t i = 0; i < 6; ++i) expected.push_back(sample_of(plainly, i, look, epoch));
  for (std::size_t budget : {100u, 60'000u, 10'000'000u}) {
    CAPTURE(budget);
    for (std::atomic<int>& times : *set.asked) times = 0;
    sample_maker cached(set, plain, 2, budget);
    auto next = expected.begin();
    for (std::uint64_t epoch = 0; epoch < 40; ++epoch)
      for (std::size_t i = 0; i < 6; ++i) CHECK(sample_of(cached, i, look, epoch) == *next++);
    CHECK(cached.cache().used() <= budget);
    if (budget < 10'000'000u) continue;
    CHECK(cached.cache().hits() > 200);
    for (std::size_t i = 0; i < 6; ++i) CHECK((*set.asked)[i] <= (i % 3 == 0 ? 1 : 4));
  }
}

TEST_CASE("data: a set whose type is forgotten gives the same samples") {
  const files_in_memory set{{made_jpeg(sample_image(200, 150))}};
  const any_data_set any = set;
  sample_maker first(set, plain, 3);
  sample_maker second(any, plain, 3);
  CHECK(sample_of(first, 0, {.size = 30}) == sample_of(second, 0, {.size = 30}));
}

TEST_CASE("data: a part of a set gives the samples' files too") {
  const files_in_memory set{
      {made_png(2, 1, noise_picture(2, 1).pixels), made_jpeg(sample_image(9, 9))}};
  const subset part(set, {1});
  static_assert(encoded_set<subset<files_in_memory>> && !encoded_set<subset<pictures_only>>);
  CHECK(part.encoded(0)->name == "file 1");
  CHECK(any_data_set(set).part({1}).encoded(0)->name == "file 1");
}

TEST_CASE("data: a validation sample is the picture as networks are evaluated on it") {
  const files_in_memory set{{made_jpeg(sample_image(90, 70))}};
  const input_rule rule{.size = 24, .resize = 32};
  std::vector<float> expected(24 * 24 * 3), made(expected.size());
  preprocess(set.image(0), rule, expected.data());
  make_validation_sample(set, 0, rule, made.data());
  CHECK(made == expected);
}

TEST_CASE("data: a file that is no picture is an image_error") {
  const files_in_memory set{{file_data(100, std::byte{1})}};
  sample_maker maker(set, plain, 3);
  CHECK_THROWS_AS(sample_of(maker, 0, {.size = 30}), image_error);
}

TEST_CASE("data: a loader's batches are the same with any cache and any number of threads") {
  files_in_memory set;
  for (std::uint64_t i = 0; i < 12; ++i) set.files.push_back(made_jpeg(sample_image(120, 90, i)));
  set.files[7].resize(200);  // broken
  const any_data_set any = set;
  const auto plan = [](std::int64_t step) -> std::optional<batch_request> {
    return batch_request{step, step * 5, 5, {.size = 16, .mixup = 0.2f}};
  };
  const auto batches = [&](int threads, std::size_t cache) {
    loader made(any, {.threads = threads, .cache_bytes = cache, .seed = 1}, plan);
    std::vector<float> all;
    for (int step = 0; step < 12; ++step) {
      const std::vector<float>& images = made.next().images;
      all.insert(all.end(), images.begin(), images.end());
    }
    CHECK(made.broken() == 1);
    return all;
  };
  const std::vector<float> expected = batches(1, 0);
  CHECK(batches(2, 50'000) == expected);
  CHECK(batches(4, 5'000'000) == expected);
}
