#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <effnet/io/resize.hpp>
#include <effnet/io/safetensors.hpp>

#include "made_images.hpp"
#include "shared_data.hpp"
#include "worse.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

image formula_image(int width, int height) {
  image made = make_image(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        made.row(y)[x * 3 + c] =
            static_cast<std::uint8_t>((x * 37 + y * 91 + c * 53 + x * y * 11) % 256);
  return made;
}

image image_of(const raw_tensor& tensor) {
  image made = make_image(static_cast<int>(tensor.shape[1]), static_cast<int>(tensor.shape[0]));
  REQUIRE(tensor.bytes() == made.pixels.size());
  std::memcpy(made.pixels.data(), tensor.data, made.pixels.size());
  return made;
}

constexpr std::array<std::pair<int, int>, 3> oracle_sizes = {{{64, 64}, {171, 137}, {33, 224}}};

}  // namespace

TEST_CASE("io: resized pictures are Pillow's, bit for bit") {
  struct resize_case {
    int from_width, from_height, width, height;
    interpolation filter;
    std::vector<std::uint8_t> expected;
  };
  const std::vector<resize_case> cases = {
      {4,
       12,
       3,
       2,
       interpolation::nearest,
       {17, 70, 123, 157, 210, 7, 227, 24, 77, 51, 104, 157, 67, 120, 173, 203, 0, 53}},
      {4,
       12,
       3,
       2,
       interpolation::bilinear,
       {109, 142, 133, 125, 137, 131, 146, 106, 135, 134, 125, 146, 131, 129, 133, 142, 99, 120}},
      {4,
       12,
       3,
       2,
       interpolation::bicubic,
       {106, 144, 133, 124, 139, 131, 147, 103, 136, 136, 125, 149, 131, 130, 134, 143, 97, 118}},
      {4,
       12,
       3,
       2,
       interpolation::lanczos,
       {106, 143, 134, 125, 139, 131, 146, 101, 136, 138, 127, 150, 131, 131, 134, 143, 94, 116}},
      {7, 5, 4, 3, interpolation::nearest, {0,   53,  106, 74,  127, 180, 148, 201, 254,
                                            222, 19,  72,  182, 235, 32,  44,  97,  150,
                                            162, 215, 12,  24,  77,  130, 108, 161, 214,
                                            14,  67,  120, 176, 229, 26,  82,  135, 188}},
      {7, 5, 4, 3, interpolation::bilinear, {61,  114, 161, 126, 148, 144, 124, 146, 170,
                                             158, 134, 125, 149, 141, 114, 134, 127, 121,
                                             132, 125, 104, 118, 110, 126, 102, 155, 140,
                                             111, 133, 99,  113, 135, 112, 91,  144, 133}},
      {7, 5, 4, 3, interpolation::bicubic, {56,  114, 164, 129, 149, 146, 123, 149, 172,
                                            159, 133, 122, 153, 143, 115, 140, 126, 119,
                                            133, 118, 100, 116, 111, 130, 100, 157, 139,
                                            112, 131, 97,  115, 134, 114, 88,  146, 132}},
      {7, 5, 4, 3, interpolation::lanczos, {57,  118, 164, 131, 147, 151, 123, 152, 169,
                                            154, 132, 123, 152, 145, 117, 148, 127, 116,
                                            133, 109, 98,  114, 116, 132, 95,  156, 133,
                                            114, 132, 96,  114, 132, 119, 89,  148, 125}},
      {3, 3, 5, 4, interpolation::nearest, {0,   53,  106, 0,   53,  106, 37,  90,  143, 74,
                                            127, 180, 74,  127, 180, 91,  144, 197, 91,  144,
                                            197, 139, 192, 245, 187, 240, 37,  187, 240, 37,
                                            91,  144, 197, 91,  144, 197, 139, 192, 245, 187,
                                            240, 37,  187, 240, 37,  182, 235, 32,  182, 235,
                                            32,  241, 38,  91,  44,  97,  150, 44,  97,  150}},
      {3, 3, 5, 4, interpolation::bilinear, {0,   53,  106, 15,  68,  121, 37,  90,  143, 59,
                                             112, 165, 74,  127, 180, 57,  110, 163, 74,  127,
                                             180, 101, 154, 207, 127, 180, 137, 145, 198, 91,
                                             125, 178, 135, 146, 160, 156, 177, 134, 187, 151,
                                             166, 122, 133, 186, 79,  182, 235, 32,  206, 156,
                                             56,  241, 38,  91,  123, 73,  126, 44,  97,  150}},
      {3, 3, 5, 4, interpolation::bicubic, {0,   45,  98,  6,   59,  111, 32,  85,  138, 57,
                                            110, 172, 71,  124, 191, 48,  99,  171, 63,  123,
                                            196, 94,  165, 218, 135, 195, 132, 160, 211, 72,
                                            127, 187, 138, 152, 167, 166, 184, 142, 195, 159,
                                            174, 115, 139, 199, 59,  183, 255, 19,  218, 163,
                                            41,  246, 30,  83,  113, 59,  133, 21,  94,  161}},
      {3, 3, 5, 4, interpolation::lanczos, {0,   46,  94,  4,   55,  101, 32,  79,  132, 57,
                                            107, 177, 65,  119, 198, 39,  87,  173, 46,  115,
                                            211, 82,  171, 224, 139, 207, 132, 167, 215, 64,
                                            133, 200, 131, 165, 172, 172, 196, 142, 195, 166,
                                            173, 113, 136, 204, 48,  173, 255, 15,  228, 163,
                                            29,  246, 25,  78,  108, 42,  140, 6,   98,  168}},
  };
  for (const resize_case& c : cases) {
    CAPTURE(c.from_width);
    CAPTURE(static_cast<int>(c.filter));
    CHECK(resize(formula_image(c.from_width, c.from_height), c.width, c.height, c.filter).pixels ==
          c.expected);
  }
}

TEST_CASE("io: a source box may lie inside pixels, as Pillow's") {
  const std::vector<std::uint8_t> expected = {115, 138, 147, 136, 134, 142, 132, 128, 133,
                                              125, 140, 112, 129, 121, 106, 109, 131, 120};
  CHECK(resize(formula_image(7, 5), 3, 2, interpolation::bicubic, {0.5f, 0.25f, 6.75f, 4.5f})
            .pixels == expected);
}

TEST_CASE("io: the order of the passes is that of the Pillow asked for") {
  const image tall = formula_image(4, 12);
  const auto resized = [&](pass_order order) {
    return resize(tall, 3, 2, interpolation::bicubic, whole(tall), order).pixels;
  };
  std::vector<std::uint8_t> expected = {106, 144, 133, 124, 139, 131, 147, 103, 136,
                                        136, 125, 149, 131, 130, 134, 143, 97,  118};
  CHECK(resized(pass_order::pillow_12) == expected);
  expected[8] = 135;
  expected[16] = 96;
  CHECK(resized(pass_order::pillow_13) == expected);

  const std::vector<std::uint8_t> very_tall = {128, 127, 127, 127, 126, 128,
                                               127, 129, 127, 127, 126, 127};
  CHECK(
      resize(formula_image(2, 250), 2, 2, interpolation::bicubic, {0.25f, 0, 1.75f, 250}).pixels ==
      very_tall);
}

TEST_CASE("io: the same size gives the same picture, and a whole box its crop") {
  const image picture = sample_image(40, 30);
  for (interpolation filter :
       {interpolation::nearest, interpolation::bilinear, interpolation::bicubic,
        interpolation::lanczos, interpolation::tf_bilinear}) {
    CHECK(resize(picture, 40, 30, filter) == picture);
    CHECK(resize(picture, 20, 10, filter, {5, 7, 25, 17}) == crop(picture, 5, 7, 20, 10));
  }
}

TEST_CASE("io: extreme sizes and shapes resize") {
  for (auto [from_width, from_height] : {std::pair{1, 1}, {1, 5000}, {5000, 1}, {3, 2}})
    for (auto [width, height] : {std::pair{1, 1}, {1, 300}, {300, 1}, {5, 7}})
      for (interpolation filter :
           {interpolation::nearest, interpolation::bilinear, interpolation::bicubic,
            interpolation::lanczos, interpolation::tf_bilinear}) {
        image flat = make_image(from_width, from_height);
        flat.pixels.assign(flat.pixels.size(), 77);
        const image resized = resize(flat, width, height, filter);
        CHECK(resized.width == width);
        CHECK(resized.height == height);
        bool still_flat = true;
        for (std::uint8_t value : resized.pixels) still_flat = still_flat && value == 77;
        CHECK(still_flat);
      }
}

TEST_CASE("io: sizes, boxes and pictures that cannot be resized are refused") {
  const image picture = sample_image(10, 8);
  const auto refused = [&](int width, int height, source_box box) {
    CHECK_THROWS_AS(resize(picture, width, height, interpolation::bilinear, box), shape_error);
    CHECK_THROWS_AS(resize_tf_bilinear(picture, width, height, box), shape_error);
  };
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  refused(0, 4, whole(picture));
  refused(4, -1, whole(picture));
  refused(4, 4, {-0.5f, 0, 10, 8});
  refused(4, 4, {0, 0, 10.5f, 8});
  refused(4, 4, {0, 0, 10, 9});
  refused(4, 4, {5, 0, 5, 8});
  refused(4, 4, {nan, 0, 10, 8});
  refused(4, 4, {0, 0, 10, nan});
  CHECK_THROWS_AS(resize(image{}, 4, 4, interpolation::bilinear), shape_error);
  CHECK_THROWS_AS(crop(picture, 3, 0, 8, 8), shape_error);
  CHECK_THROWS_AS(crop(picture, -1, 0, 2, 2), shape_error);
}

TEST_CASE("io: TensorFlow's bilinear interpolates neighbours only, unrounded") {
  image picture = make_image(4, 1);
  for (int x = 0; x < 4; ++x)
    for (int c = 0; c < 3; ++c)
      picture.row(0)[x * 3 + c] = static_cast<std::uint8_t>(x == 1 ? 100 : 10 * x);
  const std::vector<float> half = resize_tf_bilinear(picture, 2, 1);
  CHECK(half[0] == 50.0f);  // between 0 and 100: not antialiased
  CHECK(half[3] == 25.0f);
  const std::vector<float> more = resize_tf_bilinear(picture, 8, 1);
  CHECK(more[0] == 0.0f);  // the edge is repeated
  CHECK(more[3] == 25.0f);
  CHECK(more[6] == 75.0f);
  CHECK(more[21] == 30.0f);
  CHECK(resize(picture, 3, 1, interpolation::tf_bilinear).pixels[0] ==
        static_cast<std::uint8_t>(resize_tf_bilinear(picture, 3, 1)[0] + 0.5f));
}

TEST_CASE("io: Pillow's resizes of a photo, bit for bit" * doctest::test_suite("oracle")) {
  const auto path = shared_data("oracles/image_ops_u8.safetensors");
  if (!path) return;
  const state_dict oracle = read_safetensors(path->string());
  const image input = image_of(*oracle.find("input"));
  constexpr std::array<std::pair<std::string_view, interpolation>, 4> filters = {
      {{"nearest", interpolation::nearest},
       {"bilinear", interpolation::bilinear},
       {"bicubic", interpolation::bicubic},
       {"lanczos", interpolation::lanczos}}};
  for (const auto& [name, filter] : filters)
    for (const auto& [width, height] : oracle_sizes) {
      const std::string key = sentence("resize_", name, '_', width, 'x', height);
      CAPTURE(key);
      const raw_tensor* expected = oracle.find(key);
      REQUIRE(expected != nullptr);
      for (pass_order order : {pass_order::pillow_12, pass_order::pillow_13})
        CHECK(resize(input, width, height, filter, whole(input), order) == image_of(*expected));
    }
}

TEST_CASE("io: half-pixel bilinear of a photo" * doctest::test_suite("oracle")) {
  const auto photo = shared_data("oracles/image_ops_u8.safetensors");
  const auto path = shared_data("oracles/image_ops_f32.safetensors");
  if (!photo || !path) return;
  const image input = image_of(*read_safetensors(photo->string()).find("input"));
  const state_dict oracle = read_safetensors(path->string());
  for (const auto& [width, height] : oracle_sizes) {
    const raw_tensor* expected =
        oracle.find(sentence("tf_bilinear_", width, 'x', height, "_float"));
    REQUIRE(expected != nullptr);
    const std::vector<float> got = resize_tf_bilinear(input, width, height);
    REQUIRE(expected->elements() == got.size());
    std::vector<float> values(got.size());
    widen(expected->type, expected->data, values.size(), values.data());
    float largest = 0;
    for (std::size_t i = 0; i < got.size(); ++i)
      largest = worse(largest, std::fabs(got[i] - values[i]));
    CHECK(largest < 1e-4f);
  }
}
