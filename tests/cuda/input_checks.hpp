#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include <effnet/backend/uploads_batches.hpp>
#include <effnet/data/loader.hpp>
#include <effnet/io/jpeg_encode.hpp>

#include "../data/pictures.hpp"

// Batches that a device makes of bytes, beside those that a loader makes of the same pictures.
namespace effnet::testing {

/// Noise of many shapes: odd sides, one pixel, far longer than wide, larger and smaller than
/// samples.
class odd_pictures {
 public:
  std::size_t count() const { return 23; }
  const std::vector<std::string>& classes() const { return classes_; }
  int label(std::size_t i) const { return static_cast<int>(i % 3); }
  std::string name(std::size_t i) const { return std::to_string(i); }
  effnet::image image(std::size_t i) const {
    constexpr int sides[][2] = {{40, 36}, {7, 91},   {1, 1},   {64, 5},  {33, 33}, {3, 320},
                                {130, 1}, {111, 97}, {17, 17}, {16, 51}, {1, 210}};
    const auto& [width, height] = sides[i % std::size(sides)];
    return noise_picture(width, height, i);
  }

 private:
  std::vector<std::string> classes_ = {"a", "b", "c"};
};

/// JPEG files, of which samples take parts that are decoded smaller.
class jpeg_pictures {
 public:
  std::size_t count() const { return 12; }
  const std::vector<std::string>& classes() const { return classes_; }
  int label(std::size_t) const { return 0; }
  std::string name(std::size_t i) const { return std::to_string(i); }
  effnet::image image(std::size_t i) const { return decode_image(encoded(i)->bytes, name(i)); }
  std::optional<encoded_image> encoded(std::size_t i) const {
    const int side = 40 + 20 * static_cast<int>(i);
    auto file = std::make_shared<const std::vector<std::byte>>(
        encode_jpeg(noise_picture(side, 301 - side, i)));
    return encoded_image{file, *file, name(i)};
  }

 private:
  std::vector<std::string> classes_ = {"a"};
};
static_assert(encoded_set<jpeg_pictures>);

/// Whether both have the same bits.
inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

template <training_backend B>
std::vector<float> host_copy(const B& on, const float* data, std::size_t count) {
  std::vector<float> host(count);
  on.download(data, host.data(), count * sizeof(float));
  return host;
}

/// The batches of `plan` made by the processor and by the device.
template <uploads_batches B, data_set Set, class Plan>
void check_batches(const B& on, const Set& set, const Plan& plan) {
  const loader_options options{
      .threads = 2, .seed = 5, .input = {.mean = {120, 110.5f, 99}, .deviation = {60, 57.3f, 1}}};
  loader here(set, options, plan);
  loader_options staged = options;
  staged.staged_in = B::batch_uploads::host_memory();
  loader bytes(set, staged, plan);
  auto uploads = on.make_uploads();
  for (std::int64_t step = 0; plan(step); ++step) {
    CAPTURE(step);
    const loaded_batch& expected = here.next();
    uploads.wait();
    uploads.begin(bytes.next().staged);
    const device_batch got = uploads.next();
    REQUIRE(got.images.shape == expected.shape);
    CHECK(same_bits(host_copy(on, got.images.data, expected.images.size()), expected.images));
    CHECK(same_bits(host_copy(on, got.targets, expected.targets.size()), expected.targets));
  }
}

/// Every look that a sample can have, in batches of several sizes.
template <uploads_batches B>
void check_looks(const B& on) {
  using enum sample_augmentation;
  for (const sample_augmentation augment : {none, rand_augment, auto_or_rand, finetune})
    for (const float erasing : {0.0f, 0.7f}) {
      CAPTURE(sample_augmentation_names[static_cast<std::size_t>(augment)]);
      CAPTURE(erasing);
      check_batches(on, odd_pictures(), [&](std::int64_t step) -> std::optional<batch_request> {
        constexpr int counts[] = {1, 2, 5, 8}, sizes[] = {1, 17, 24, 33};
        if (step >= 4) return std::nullopt;
        return batch_request{.step = step,
                             .first_sample = step * 8,
                             .count = counts[step],
                             .look = {.size = sizes[(step + 1) % 4],
                                      .augment = augment,
                                      .magnitude = 9,
                                      .random_erasing = erasing,
                                      .mixup = step % 2 == 0 ? 0.4f : 0,
                                      .cutmix = step > 1 ? 1.0f : 0}};
      });
    }
}

/// Every filter, on whole pictures and on parts, larger and smaller than the samples.
template <uploads_batches B>
void check_resizes(const B& on) {
  for (const interpolation filter :
       {interpolation::nearest, interpolation::bilinear, interpolation::bicubic,
        interpolation::lanczos, interpolation::tf_bilinear})
    for (const bool whole : {true, false}) {
      CAPTURE(static_cast<int>(filter));
      CAPTURE(whole);
      check_batches(on, odd_pictures(), [&](std::int64_t step) -> std::optional<batch_request> {
        constexpr int sizes[] = {1, 16, 17, 33, 130};
        if (step >= 5) return std::nullopt;
        return batch_request{
            .step = step,
            .first_sample = step * 10,
            .count = 10,
            .look = {.size = sizes[step], .whole = whole, .filter = filter, .flip = 0.5}};
      });
    }
}

/// Parts of files, decoded as small as the samples allow.
template <uploads_batches B>
void check_files(const B& on) {
  check_batches(on, jpeg_pictures(), [&](std::int64_t step) -> std::optional<batch_request> {
    if (step >= 3) return std::nullopt;
    return batch_request{.step = step,
                         .first_sample = step * 7,
                         .count = 7,
                         .look = {.size = 21, .whole = step == 2, .mixup = 0.2f}};
  });
}

/// Mixup of an odd batch, cutmix of an odd batch, both of one, and neither.
template <uploads_batches B>
void check_mixing(const B& on) {
  for (const int count : {1, 2, 3, 7})
    for (const cutmix_labels labels : {cutmix_labels::by_own_area, cutmix_labels::by_mean_area}) {
      CAPTURE(count);
      check_batches(on, odd_pictures(), [&](std::int64_t step) -> std::optional<batch_request> {
        if (step >= 6) return std::nullopt;
        return batch_request{.step = step,
                             .first_sample = step * count,
                             .count = count,
                             .look = {.size = 19,
                                      .augment = sample_augmentation::finetune,
                                      .mixup = step % 3 != 1 ? 0.3f : 0,
                                      .cutmix = step % 3 != 0 ? 1.0f : 0,
                                      .labels = labels}};
      });
    }
}

}  // namespace effnet::testing
