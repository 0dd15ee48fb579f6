#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <effnet/arch/convention_presets.hpp>
#include <effnet/images.hpp>
#include <effnet/nn/weights.hpp>

#include "program.hpp"

namespace example {

inline void add_image_options(CLI::App& app, effnet::decode_options& chosen) {
  const char* reading = "How image files are read";
  app.add_flag_callback(
         "--no-exif", [&chosen] { chosen.apply_exif = false; },
         "Do not turn pictures as their EXIF data say")
      ->group(reading);
  app.add_option("--max-pixels", chosen.max_pixels, "Refuse larger pictures")
      ->check(between(1, std::numeric_limits<int>::max()))
      ->type_name("N")
      ->capture_default_str()
      ->group(reading);
}

inline void refuse_unless_rgb(const effnet::weights& model) {
  if (model.spec.in_channels != 3)
    throw effnet::shape_error(effnet::sentence(
        "this network takes ", model.spec.in_channels,
        " input channels and pictures have 3: give its input as a tensor (classify --tensor)"));
}

/// A picture as a network sees it: `size` x `size` x 3 values.
inline std::vector<float> prepared(const effnet::image& picture, const effnet::input_rule& rule) {
  std::vector<float> values(std::size_t{3} * static_cast<std::size_t>(rule.size) *
                            static_cast<std::size_t>(rule.size));
  effnet::preprocess(picture, rule, values.data());
  return values;
}

/// The central square of a picture, `side` pixels wide, as a JPEG file of some 10 KB.
inline std::vector<std::byte> thumbnail(const effnet::image& picture, int side) {
  const auto width = static_cast<float>(picture.width), height = static_cast<float>(picture.height);
  const float square = width < height ? width : height;
  const effnet::source_box box{(width - square) / 2, (height - square) / 2, (width + square) / 2,
                               (height + square) / 2};
  return effnet::encode_jpeg(
      effnet::resize(picture, side, side, effnet::interpolation::bicubic, box), 85);
}

}  // namespace example
