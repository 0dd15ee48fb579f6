#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/io/decode.hpp>
#include <effnet/io/preprocess.hpp>
#include <effnet/io/safetensors.hpp>

#include "made_images.hpp"
#include "shared_data.hpp"
#include "worse.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

/// Pixel values as they are.
input_rule plain_rule(int size, int resize, crop_rule crop, interpolation filter) {
  return {.size = size,
          .resize = resize,
          .crop = crop,
          .filter = filter,
          .mean = {0, 0, 0},
          .deviation = {1, 1, 1}};
}

std::vector<float> prepared(const image& picture, const input_rule& rule) {
  std::vector<float> values(
      static_cast<std::size_t>(rule.size) * static_cast<std::size_t>(rule.size) * 3,
      std::numeric_limits<float>::quiet_NaN());
  preprocess(picture, rule, values.data());
  return values;
}

std::vector<float> values_of(const image& picture) {
  return {picture.pixels.begin(), picture.pixels.end()};
}

const input_rule lite_rule{.size = 224,
                           .resize = 256,
                           .crop = crop_rule::center_nearest,
                           .filter = interpolation::bicubic,
                           .mean = {127, 127, 127},
                           .deviation = {128, 128, 128}};

}  // namespace

TEST_CASE("io: center resizes the shorter side and keeps the middle") {
  const image picture = sample_image(120, 90);
  for (interpolation filter :
       {interpolation::nearest, interpolation::bilinear, interpolation::bicubic,
        interpolation::lanczos, interpolation::tf_bilinear}) {
    const image whole_resize = resize(picture, 64, 48, filter);
    std::vector<float> got = prepared(picture, plain_rule(40, 48, crop_rule::center, filter));
    for (float& value : got) value = std::floor(value + 0.5f);  // for tf_bilinear
    CHECK(got == values_of(crop(whole_resize, 12, 4, 40, 40)));
  }
}

TEST_CASE("io: center rounds odd rests and long sides as torchvision, or to the nearest") {
  const auto first_column = [](int width, crop_rule rounding) {
    image ramp = make_image(width, 7);
    for (std::size_t i = 0; i < ramp.pixels.size(); ++i)
      ramp.pixels[i] = static_cast<std::uint8_t>(i / 3 % static_cast<std::size_t>(width));
    const auto rule = plain_rule(7, 7, rounding, interpolation::bilinear);
    return prepared(ramp, rule)[0];
  };
  CHECK(first_column(8, crop_rule::center) == 0);   // 0.5 to 0
  CHECK(first_column(10, crop_rule::center) == 2);  // 1.5 to 2
  CHECK(first_column(12, crop_rule::center) == 2);  // 2.5 to 2
  CHECK(first_column(14, crop_rule::center) == 4);  // 3.5 to 4
  CHECK(first_column(10, crop_rule::center_nearest) == 1);
  CHECK(first_column(14, crop_rule::center_nearest) == 3);

  const image photo = make_image(328, 288);  // 256 * 328 / 288 = 291.56
  CHECK(detail::scaled_sides(photo, 256, crop_rule::center)[0] == 291);
  CHECK(detail::scaled_sides(photo, 256, crop_rule::center_nearest)[0] == 292);
}

TEST_CASE("io: center pads what is smaller with black, the smaller half first") {
  image picture = make_image(4, 4);
  picture.pixels.assign(picture.pixels.size(), 200);
  input_rule rule = plain_rule(7, 4, crop_rule::center, interpolation::bicubic);
  rule.mean = {10, 20, 30};
  rule.deviation = {2, 4, 5};
  const std::vector<float> got = prepared(picture, rule);
  for (int y = 0; y < 7; ++y)
    for (int x = 0; x < 7; ++x)
      for (int c = 0; c < 3; ++c) {
        const std::size_t channel = static_cast<std::size_t>(c);
        const bool inside = x >= 1 && x < 5 && y >= 1 && y < 5;
        const float value = inside ? 200.0f : 0.0f;
        CHECK(got[static_cast<std::size_t>((y * 7 + x) * 3 + c)] ==
              (value - rule.mean[channel]) / rule.deviation[channel]);
      }
}

TEST_CASE("io: squash resizes the whole picture") {
  const image picture = sample_image(61, 40);
  CHECK(prepared(picture, plain_rule(32, 0, crop_rule::squash, interpolation::bicubic)) ==
        values_of(resize(picture, 32, 32, interpolation::bicubic)));
  CHECK(prepared(picture, plain_rule(32, 0, crop_rule::squash, interpolation::tf_bilinear)) ==
        resize_tf_bilinear(picture, 32, 32));
}

TEST_CASE("io: tf_center takes the central square first, its odd rest at the top and left") {
  const image picture = sample_image(101, 80);  // 80 * 32 / 64 = 40; (61 + 1) / 2, (40 + 1) / 2
  const image square = crop(picture, 31, 20, 40, 40);
  CHECK(prepared(picture, plain_rule(32, 0, crop_rule::tf_center, interpolation::tf_bilinear)) ==
        resize_tf_bilinear(square, 32, 32));
  const auto got =
      prepared(picture, plain_rule(32, 0, crop_rule::tf_center, interpolation::nearest));
  CHECK(got == values_of(resize(square, 32, 32, interpolation::nearest)));
}

TEST_CASE("io: a sliver of a picture costs only the pixels that are kept") {
  for (auto [width, height] : {std::pair{1, 60000}, {60000, 1}}) {
    image sliver = make_image(width, height);
    sliver.pixels.assign(sliver.pixels.size(), 50);
    for (interpolation filter :
         {interpolation::nearest, interpolation::bicubic, interpolation::tf_bilinear}) {
      input_rule rule = lite_rule;
      rule.filter = filter;
      const std::vector<float> got = prepared(sliver, rule);
      bool flat = true;
      for (float value : got) flat = flat && value == (50.0f - 127.0f) / 128.0f;
      CHECK(flat);
    }
  }
}

TEST_CASE("io: pictures and rules that cannot be prepared are refused") {
  float unused = 0;
  const image picture = sample_image(8, 8);
  input_rule rule = plain_rule(0, 8, crop_rule::center, interpolation::bicubic);
  CHECK_THROWS_AS(preprocess(picture, rule, &unused), shape_error);
  rule.size = 1;
  rule.resize = 0;
  CHECK_THROWS_AS(preprocess(picture, rule, &unused), shape_error);
  rule.resize = 1;
  CHECK_THROWS_AS(preprocess(image{}, rule, &unused), shape_error);
  rule.deviation[1] = 0;
  CHECK_THROWS_AS(preprocess(picture, rule, &unused), shape_error);
}

TEST_CASE("io: photos become the inputs of the Lite0 oracle" * doctest::test_suite("oracle")) {
  const auto path = shared_data("oracles/lite0_dev_logits.safetensors");
  const auto photos = shared_data("data/imagenet_dev");
  if (!path || !photos) return;
  const state_dict oracle = read_safetensors(path->string());
  const raw_tensor* input = oracle.find("input");
  REQUIRE(input != nullptr);
  std::vector<float> expected(input->elements());
  widen(input->type, input->data, expected.size(), expected.data());

  const std::string_view files = oracle.metadata.at("files");
  const std::size_t pixels = 224 * 224;
  std::size_t photo = 0;
  for (std::size_t at = files.find(".jpg"); at != files.npos; at = files.find(".jpg", at + 1)) {
    const std::size_t start = files.rfind('"', at) + 1;
    const image picture = read_image(*photos / files.substr(start, at + 4 - start));
    const std::vector<float> got = prepared(picture, lite_rule);
    float largest = 0;
    for (std::size_t i = 0; i < pixels; ++i)
      for (std::size_t c = 0; c < 3; ++c)
        largest =
            worse(largest, std::fabs(got[i * 3 + c] - expected[(photo * 3 + c) * pixels + i]));
    CAPTURE(photo);
    CHECK(largest == 0.0f);
    ++photo;
  }
  CHECK(photo == 8);
}
