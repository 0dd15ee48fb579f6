#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <effnet/data/blend_ops.hpp>
#include <effnet/data/geometric_ops.hpp>
#include <effnet/data/tone_ops.hpp>
#include <effnet/io/safetensors.hpp>

#include "shared_data.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

image image_of(const raw_tensor& tensor) {
  image made = make_image(static_cast<int>(tensor.shape[1]), static_cast<int>(tensor.shape[0]));
  REQUIRE(tensor.bytes() == made.pixels.size());
  std::memcpy(made.pixels.data(), tensor.data, made.pixels.size());
  return made;
}

/// What the key says, done to `picture`: a name, and after the last "_" its argument.
image augmented(const image& picture, const std::string& key) {
  if (key == "autocontrast") return auto_contrast(picture);
  if (key == "equalize") return equalize(picture);
  if (key == "invert") return invert(picture);
  const std::size_t end = key.rfind('_');
  const std::string name = key.substr(0, end);
  const std::string text = key.substr(end + 1);
  if (name == "posterize") return posterize(picture, std::atoi(text.c_str() + 4));
  const double argument = std::atof(text.c_str());
  if (name == "solarize") return solarize(picture, static_cast<int>(argument));
  if (name == "color") return color(picture, argument);
  if (name == "contrast_mean") return contrast(picture, argument);
  if (name == "brightness") return brightness(picture, argument);
  if (name == "sharpness") return sharpness(picture, argument);
  if (name == "rotate") return rotate(picture, argument);
  if (name == "shear_x") return shear_x(picture, argument);
  if (name == "shear_y") return shear_y(picture, argument);
  if (name == "translate_x") return translate_x(picture, argument);
  if (name == "translate_y") return translate_y(picture, argument);
  FAIL("no operation is called ", name);
  return {};
}

std::size_t different_bytes(const image& left, const image& right) {
  REQUIRE(left.pixels.size() == right.pixels.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < left.pixels.size(); ++i) count += left.pixels[i] != right.pixels[i];
  return count;
}

}  // namespace

TEST_CASE("data: augmented photos are Pillow's, bit for bit" * doctest::test_suite("oracle")) {
  const auto path = shared_data("oracles/image_ops_u8.safetensors");
  if (!path) return;
  const state_dict oracle = read_safetensors(path->string());
  REQUIRE(oracle.find("input") != nullptr);
  const image photo = image_of(*oracle.find("input"));
  int compared = 0;
  for (const auto& [key, tensor] : oracle.tensors) {
    if (key == "input" || key.starts_with("resize_")) continue;
    CAPTURE(key);
    CHECK(different_bytes(augmented(photo, key), image_of(tensor)) == 0);
    ++compared;
  }
  CHECK(compared == 31);
}
