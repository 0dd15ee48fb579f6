#pragma once

#include <optional>
#include <string_view>

#include <effnet/arch/convention.hpp>

namespace effnet {

namespace detail {

inline constexpr std::array<float, 3> imagenet_mean = {123.675f, 116.28f, 103.53f};
inline constexpr std::array<float, 3> imagenet_deviation = {58.395f, 57.12f, 57.375f};
inline constexpr std::array<float, 3> half_range = {127.5f, 127.5f, 127.5f};

/// What a name says about its family: "efficientnetv2_s" is v2 and not small, "…_lite0" is lite.
struct model_family {
  bool v2 = false, v2_base = false, lite = false, resnet = false;

  constexpr explicit model_family(std::string_view name)
      : v2(name.starts_with("efficientnetv2_")),
        v2_base(name.starts_with("efficientnetv2_b")),
        lite(name.starts_with("efficientnet_lite")),
        resnet(name.starts_with("resnet")) {}
};

constexpr void normalise(input_rule& input, std::array<float, 3> mean,
                         std::array<float, 3> deviation) {
  input.mean = mean;
  input.deviation = deviation;
}

/// floor(size / crop_pct), as timm scales. Its listed crop_pct is size / (size + 32) cut to three
/// digits, but for two sizes.
constexpr int timm_resize(int size) {
  const int per_mille = size == 300 ? 904 : size == 800 ? 960 : size * 1000 / (size + 32);
  return size * 1000 / per_mille;
}

constexpr convention tf_convention(const network_spec& spec) {
  const model_family family(spec.name);
  convention c{.padding = padding_rule::tf_same, .bn_eps = 1e-3f};
  c.bn_momentum = family.v2 ? 0.1f : 0.01f;
  c.input = {.size = spec.eval_size, .resize = timm_resize(spec.eval_size)};
  if (family.lite) {
    normalise(c.input, half_range, half_range);
    if (spec.eval_size > 260) c.input.filter = interpolation::bilinear;
  } else if (family.v2 && !family.v2_base) {
    normalise(c.input, half_range, half_range);
    c.input.resize =
        spec.eval_size;  // the whole image; the larger ones were trained on squashed ones
    if (spec.eval_size > 384) c.input.crop = crop_rule::squash;
  }
  return c;
}

/// timm's own weights are mostly tested on the whole shorter side of images larger than the
/// table's.
constexpr convention timm_convention(const network_spec& spec) {
  const std::string_view name = spec.name;
  const model_family family(name);
  const int tested = name == "efficientnet_b1"   ? 256
                     : name == "efficientnet_b2" ? 288
                     : name == "efficientnet_b3" ? 320
                     : name == "efficientnet_b4" ? 384
                     : family.resnet             ? 288
                                                 : 0;
  const bool whole = tested > 0 || (family.v2 && !family.v2_base);
  convention c{.padding = padding_rule::symmetric, .bn_eps = 1e-5f, .bn_momentum = 0.1f};
  c.input.size = tested > 0 ? tested : spec.eval_size;
  c.input.resize = whole ? c.input.size : timm_resize(spec.eval_size);
  return c;
}

/// Rows of torchvision's weight enums that the sizes of a table do not tell.
constexpr convention torchvision_convention(const network_spec& spec) {
  const std::string_view name = spec.name;
  const model_family family(name);
  convention c{.padding = padding_rule::symmetric, .bn_eps = 1e-5f, .bn_momentum = 0.1f};
  c.input = {.size = spec.eval_size, .resize = spec.eval_size};
  if (name == "efficientnet_b5" || name == "efficientnet_b6" || name == "efficientnet_b7") {
    c.bn_eps = 1e-3f;  // these came from lukemelas' repository, the smaller ones from timm
    c.bn_momentum = 0.01f;
  }
  if (name == "efficientnet_b0" || name == "efficientnet_b1") c.input.resize = 256;
  if (name == "efficientnet_b2") c.input.size = c.input.resize = 288;
  if (name == "efficientnet_b3") c.input.resize = 320;
  if (name == "efficientnet_b4") c.input.resize = 384;
  if (family.v2) {
    c.bn_eps = 1e-3f;
    c.input.filter = interpolation::bilinear;
    if (name == "efficientnetv2_l") {
      c.input.filter = interpolation::bicubic;
      normalise(c.input, half_range, half_range);
    }
  }
  if (family.resnet) {
    c.input.resize = 256;
    c.input.filter = interpolation::bilinear;
  }
  return c;
}

/// automl's own evaluation, which keras.applications follows: V2-S and larger squash the whole
/// image.
constexpr convention keras_convention(const network_spec& spec) {
  const model_family family(spec.name);
  convention c{.padding = padding_rule::tf_same, .bn_eps = 1e-3f};
  c.bn_momentum = family.v2 ? 0.1f : 0.01f;
  c.input = {.size = spec.eval_size, .resize = spec.eval_size + 32, .crop = crop_rule::tf_center};
  if (family.v2 && !family.v2_base) {
    normalise(c.input, {128, 128, 128}, {128, 128, 128});
    c.input.filter = interpolation::tf_bilinear;
    c.input.crop = spec.eval_size < 320 ? crop_rule::tf_center : crop_rule::squash;
  }
  return c;
}

/// EfficientNet-Lite as published: (x - 127) / 128, shorter side to size + 32, central crop.
constexpr convention lite_convention(const network_spec& spec) {
  convention c{.padding = padding_rule::tf_same, .bn_eps = 1e-3f, .bn_momentum = 0.01f};
  c.input = {
      .size = spec.eval_size, .resize = spec.eval_size + 32, .crop = crop_rule::center_nearest};
  normalise(c.input, {127, 127, 127}, {128, 128, 128});
  return c;
}

}  // namespace detail

/// The conventions under which a family's checkpoints of `spec` were trained and are evaluated.
/// Sources: timm pretrained configurations, torchvision weight enums, automl preprocessing.py,
/// efficientnet_lite_builder.py.
constexpr convention convention_for(convention_name family, const network_spec& spec) {
  switch (family) {
    case convention_name::tf:
      return detail::tf_convention(spec);
    case convention_name::timm:
      return detail::timm_convention(spec);
    case convention_name::torchvision:
      return detail::torchvision_convention(spec);
    case convention_name::keras:
      return detail::keras_convention(spec);
    case convention_name::lite:
      return detail::lite_convention(spec);
  }
  return {};
}

constexpr std::string_view name_of(convention_name family) {
  switch (family) {
    case convention_name::tf:
      return "tf";
    case convention_name::timm:
      return "timm";
    case convention_name::torchvision:
      return "torchvision";
    case convention_name::keras:
      return "keras";
    case convention_name::lite:
      return "lite";
  }
  return "?";
}

constexpr std::optional<convention_name> find_convention(std::string_view name) {
  using enum convention_name;
  for (convention_name family : {tf, timm, torchvision, keras, lite})
    if (name_of(family) == name) return family;
  return std::nullopt;
}

constexpr std::string_view name_of(interpolation filter) {
  switch (filter) {
    case interpolation::nearest:
      return "nearest";
    case interpolation::bilinear:
      return "bilinear";
    case interpolation::bicubic:
      return "bicubic";
    case interpolation::lanczos:
      return "lanczos";
    case interpolation::tf_bilinear:
      return "tf_bilinear";
  }
  return "?";
}

constexpr std::optional<interpolation> find_interpolation(std::string_view name) {
  using enum interpolation;
  for (interpolation filter : {nearest, bilinear, bicubic, lanczos, tf_bilinear})
    if (name_of(filter) == name) return filter;
  return std::nullopt;
}

}  // namespace effnet
