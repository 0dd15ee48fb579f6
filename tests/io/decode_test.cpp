#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/core/rng.hpp>
#include <effnet/io/decode.hpp>
#include <effnet/io/encode.hpp>

#include "made_images.hpp"
#include "shared_data.hpp"
#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

std::string refusal(std::span<const std::byte> file, const decode_options& options = {}) {
  try {
    decode_image(file, "photo", options);
  } catch (const image_error& e) {
    return e.what();
  }
  return "decoded";
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

/// Flat patches of 16 x 16 pixels side by side: at quality 100 their samples survive exactly.
std::vector<std::uint8_t> patches(const std::vector<std::vector<std::uint8_t>>& colors) {
  std::vector<std::uint8_t> samples;
  for (int y = 0; y < 16; ++y)
    for (const auto& color : colors)
      for (int x = 0; x < 16; ++x) samples.insert(samples.end(), color.begin(), color.end());
  return samples;
}

std::array<int, 3> patch_color(const image& picture, int patch) {
  const std::uint8_t* pixel = picture.row(8) + (patch * 16 + 8) * 3;
  return {pixel[0], pixel[1], pixel[2]};
}

int largest_difference(const image& a, const image& b) {
  REQUIRE(a.width == b.width);
  REQUIRE(a.height == b.height);
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i)
    largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

}  // namespace

TEST_CASE("io: a grayscale JPEG becomes three equal channels") {
  const file_data file =
      made_jpeg(64, 16, patches({{0}, {1}, {128}, {255}}),
                {.pixels = JCS_GRAYSCALE, .stored = JCS_GRAYSCALE, .components = 1});
  const image picture = decode_image(file, "gray");
  CHECK(picture.width == 64);
  CHECK(picture.height == 16);
  CHECK(patch_color(picture, 0) == std::array{0, 0, 0});
  CHECK(patch_color(picture, 1) == std::array{1, 1, 1});
  CHECK(patch_color(picture, 2) == std::array{128, 128, 128});
  CHECK(patch_color(picture, 3) == std::array{255, 255, 255});
}

TEST_CASE("io: a JPEG's colours stay near the picture, and stored RGB stays RGB") {
  const image picture = sample_image(50, 37);
  image smooth = make_image(50, 37);
  for (int y = 0; y < 37; ++y)
    for (int x = 0; x < 50; ++x)
      for (int c = 0; c < 3; ++c)
        smooth.row(y)[x * 3 + c] = static_cast<std::uint8_t>(x * 2 + y * (c + 1));
  CHECK(largest_difference(decode_image(made_jpeg(smooth), "smooth"), smooth) <= 4);
  CHECK(largest_difference(decode_image(made_jpeg(picture, {.stored = JCS_RGB}), "stored as RGB"),
                           picture) <= 2);
}

TEST_CASE("io: progressive, arithmetic and restarted JPEGs hold the same pixels as the baseline") {
  const image picture = sample_image(67, 45);
  const image expected = decode_image(made_jpeg(picture, {.quality = 90}), "baseline");
  CHECK(decode_image(made_jpeg(picture, {.quality = 90, .progressive = true}), "progressive") ==
        expected);
  CHECK(decode_image(made_jpeg(picture, {.quality = 90, .restart_rows = 1}), "restarts") ==
        expected);
#if defined(C_ARITH_CODING_SUPPORTED) && defined(D_ARITH_CODING_SUPPORTED)
  CHECK(decode_image(made_jpeg(picture, {.quality = 90, .arithmetic = true}), "arithmetic") ==
        expected);
#endif
}

TEST_CASE("io: the inks of a CMYK JPEG become the RGB that Pillow makes of them") {
  // Stored inverted, as Adobe does: 255 is no ink.
  const std::vector<std::vector<std::uint8_t>> inks = {
      {255, 255, 255, 255}, {0, 255, 255, 255},  {255, 0, 255, 255},  {255, 255, 0, 255},
      {255, 255, 255, 0},   {200, 100, 50, 220}, {17, 133, 251, 129}, {1, 2, 3, 4}};
  const std::array<std::array<int, 3>, 8> expected = {{{255, 255, 255},
                                                       {0, 255, 255},
                                                       {255, 0, 255},
                                                       {255, 255, 0},
                                                       {0, 0, 0},
                                                       {173, 86, 43},
                                                       {9, 67, 127},
                                                       {0, 0, 0}}};
  const jpeg_kind kind{.pixels = JCS_CMYK, .stored = JCS_CMYK, .components = 4};
  const image picture = decode_image(made_jpeg(128, 16, patches(inks), kind), "cmyk");
  for (int i = 0; i < 8; ++i)
    CHECK(patch_color(picture, i) == expected[static_cast<std::size_t>(i)]);

  const jpeg_kind converted{.pixels = JCS_CMYK, .stored = JCS_YCCK, .components = 4};
  const image ycck = decode_image(made_jpeg(128, 16, patches(inks), converted), "ycck");
  for (int i = 0; i < 8; ++i) {
    const std::array<int, 3> color = patch_color(ycck, i);
    for (std::size_t c = 0; c < 3; ++c)
      CHECK(std::abs(color[c] - expected[static_cast<std::size_t>(i)][c]) <= 2);
  }
}

TEST_CASE("io: a JPEG of two components is refused") {
  const jpeg_kind kind{.pixels = JCS_UNKNOWN, .stored = JCS_UNKNOWN, .components = 2};
  const std::string message = refusal(made_jpeg(16, 16, patches({{1, 2}}), kind));
  CHECK(contains(message, "cannot decode photo as JPEG: it has 2 components"));
}

TEST_CASE("io: a file cut at any length is an error") {
  const image picture = sample_image(24, 20);
  const std::array files = {
      made_jpeg(picture, {.quality = 60}), made_jpeg(picture, {.quality = 60, .progressive = true}),
      made_jpeg(picture, {.quality = 60, .restart_rows = 1}), encode_png(picture),
      made_png(24, 20, picture.pixels, {.interlaced = true})};
  for (const file_data& file : files) {
    CHECK(refusal(file) == "decoded");
    CHECK(contains(refusal({}), "it is empty"));
    for (std::size_t length = 1; length < file.size(); ++length) {
      const std::string message = refusal({file.data(), length});
      CAPTURE(length);
      CAPTURE(message);
      CHECK(contains(message, "truncated"));
    }
  }
}

TEST_CASE("io: flipped bits give a picture of a sane size or an image_error, and nothing else") {
  const image picture = sample_image(40, 33);
  const std::vector<std::uint8_t> inks(40 * 33 * 4, 90);
  const std::array files = {
      made_jpeg(picture, {.quality = 70}),
      made_jpeg(picture, {.quality = 70, .progressive = true}),
      made_jpeg(picture, {.quality = 70,
                          .restart_rows = 1,
                          .app1 = std::string("Exif\0\0", 6) + exif_with_orientation(6, false)}),
      made_jpeg(40, 33, inks, {.pixels = JCS_CMYK, .stored = JCS_YCCK, .components = 4}),
      encode_png(picture),
      made_png(40, 33, picture.pixels,
               {.interlaced = true, .exif = exif_with_orientation(8, true)})};
  const decode_options options{.max_pixels = 1 << 20};
  int decoded = 0, refused = 0;
  for (std::size_t f = 0; f < files.size(); ++f)
    for (std::uint64_t trial = 0; trial < 500; ++trial) {
      file_data damaged = files[f];
      for (std::uint64_t flip = 0; flip <= trial % 4; ++flip) {
        const std::uint64_t draw = mix64(f << 32 | trial << 8 | flip);
        damaged[draw % damaged.size()] ^= static_cast<std::byte>(1 << (draw >> 40) % 8);
      }
      try {
        const image got = decode_image(damaged, "damaged", options);
        CHECK(std::int64_t{got.width} * got.height <= options.max_pixels);
        CHECK(got.pixels.size() == got.row_bytes() * static_cast<std::size_t>(got.height));
        ++decoded;
      } catch (const image_error&) {
        ++refused;
      }
    }
  CHECK(decoded > 0);
  CHECK(refused > 0);
}

TEST_CASE("io: a JPEG whose data has a hole is an error") {
  file_data file = made_jpeg(sample_image(64, 64), {.quality = 80});
  const std::size_t scan = marker_position(file, 0xda) + 14;
  const std::size_t third = (file.size() - scan) / 3;
  file.erase(file.begin() + static_cast<std::ptrdiff_t>(scan + third),
             file.begin() + static_cast<std::ptrdiff_t>(scan + 2 * third));
  CHECK(contains(refusal(file), "Corrupt JPEG data"));
}

TEST_CASE("io: a JPEG with a wrong restart marker is an error") {
  file_data file = made_jpeg(sample_image(64, 64), {.quality = 80, .restart_rows = 1});
  const std::size_t marker = marker_position(file, 0xd1);
  file.erase(file.begin() + static_cast<std::ptrdiff_t>(marker),
             file.begin() + static_cast<std::ptrdiff_t>(marker) + 2);
  CHECK(refusal(file) != "decoded");
}

TEST_CASE("io: harmless oddities of real JPEGs do not refuse them") {
  const image picture = sample_image(40, 40);
  const file_data file = made_jpeg(picture, {.quality = 90});
  const image expected = decode_image(file, "clean");

  file_data extra = file;  // bytes before a marker
  const std::size_t tables = marker_position(extra, 0xdb);
  extra.insert(extra.begin() + static_cast<std::ptrdiff_t>(tables), 5, std::byte{0x11});
  CHECK(decode_image(extra, "extra bytes") == expected);

  file_data trailing = file;  // a second picture, a thumbnail, padding after the end
  trailing.insert(trailing.end(), 1000, std::byte{0});
  CHECK(decode_image(trailing, "trailing bytes") == expected);

  file_data revision = file;  // a JFIF revision from the future
  const std::size_t jfif = marker_position(revision, 0xe0);
  revision[jfif + 9] = std::byte{9};
  CHECK(decode_image(revision, "JFIF 9") == expected);
}

TEST_CASE("io: a picture beyond the pixel limit is refused before its pixels are read") {
  const image picture = sample_image(16, 16);
  const file_data jpeg = made_jpeg(picture), png = encode_png(picture);
  CHECK(contains(refusal(with_jpeg_sides(jpeg, 65500, 65500)),
                 "its header says 65500 x 65500 pixels, more than the 178956970 allowed"));
  CHECK(contains(refusal(with_png_sides(png, 0x7fffffff, 0x7fffffff)), "more than the 178956970"));
  CHECK(contains(refusal(jpeg, {.max_pixels = 255}), "16 x 16 pixels, more than the 255 allowed"));
  CHECK(refusal(jpeg, {.max_pixels = 256}) == "decoded");
  CHECK(contains(refusal(png, {.max_pixels = 255}), "16 x 16 pixels, more than the 255 allowed"));
  CHECK(refusal(png, {.max_pixels = 256}) == "decoded");
}

TEST_CASE("io: a small file that claims a large picture is truncated") {
  const image picture = sample_image(16, 16);
  CHECK(contains(refusal(with_jpeg_sides(made_jpeg(picture), 13000, 13000)), "truncated"));
  CHECK(contains(
      refusal(with_jpeg_sides(made_jpeg(picture, {.progressive = true}), 13000, 13000, 0xc2)),
      "truncated"));
  CHECK(contains(refusal(with_png_sides(encode_png(picture), 13000, 13000)), "truncated"));
  CHECK(contains(refusal(with_jpeg_sides(made_jpeg(picture), 0, 16)), "cannot decode photo"));
  CHECK(contains(refusal(with_png_sides(encode_png(picture), 16, 0)), "cannot decode photo"));
}

TEST_CASE("io: what is neither JPEG nor PNG is refused with the formats that are read") {
  CHECK(contains(refusal(bytes_of("hello, I am a text file")),
                 "cannot decode photo: it is neither JPEG nor PNG, the two formats"));
  CHECK(contains(refusal(bytes_of("GIF89a....")), "it looks like GIF"));
  CHECK(contains(refusal(bytes_of("RIFF1234WEBPVP8 ")), "it looks like WebP"));
  CHECK(contains(refusal(bytes_of("BM123456")), "it looks like BMP"));
  CHECK(contains(refusal(bytes_of("\xff\xd8\xff garbage")), "cannot decode photo as JPEG"));
}

TEST_CASE("io: a file is known by its content, and named in errors") {
  const temporary_folder folder;
  const image picture = sample_image(20, 10);
  write_png(folder / "a.jpg", picture);
  CHECK(read_image(folder / "a.jpg") == picture);

  const auto reason = [](const std::string& path) {
    try {
      read_image(path);
    } catch (const file_error& e) {
      return std::string("file: ") + e.what();
    } catch (const image_error& e) {
      return std::string("image: ") + e.what();
    }
    return std::string();
  };
  CHECK(
      contains(reason(folder / "none.png"), "file: cannot read the image " + folder / "none.png"));
  CHECK(contains(reason(folder / ""), "it is a folder"));
  write_bytes(folder / "empty.png", "");
  CHECK(contains(reason(folder / "empty.png"), "image: cannot decode " + folder / "empty.png"));
}

TEST_CASE("io: PNGs of gray and palettes of every depth are expanded") {
  for (int depth : {1, 2, 4, 8}) {
    const int levels = 1 << depth;
    std::vector<png_color> palette;
    for (int i = 0; i < levels; ++i)
      palette.push_back({static_cast<png_byte>(255 - i), static_cast<png_byte>(i * 3),
                         static_cast<png_byte>(i ^ 5)});
    const int width = 16;
    std::vector<std::uint8_t> rows(static_cast<std::size_t>(width * depth / 8) * 16);
    const auto index = [&](int x, int y) { return (x + y * width) % levels; };
    for (int y = 0; y < 16; ++y)
      for (int x = 0; x < width; ++x) {
        const int bit = (y * width + x) * depth;
        rows[static_cast<std::size_t>(bit / 8)] |=
            static_cast<std::uint8_t>(index(x, y) << (8 - depth - bit % 8));
      }
    const image gray = decode_image(
        made_png(width, 16, rows, {.color_type = PNG_COLOR_TYPE_GRAY, .bit_depth = depth}), "gray");
    const image colors = decode_image(made_png(width, 16, rows,
                                               {.color_type = PNG_COLOR_TYPE_PALETTE,
                                                .bit_depth = depth,
                                                .palette = palette,
                                                .palette_alpha = {0, 128}}),
                                      "palette");
    for (int y = 0; y < 16; ++y)
      for (int x = 0; x < width; ++x) {
        const int i = index(x, y);
        CHECK(gray.row(y)[x * 3] == i * 255 / (levels - 1));
        CHECK(gray.row(y)[x * 3 + 2] == gray.row(y)[x * 3]);
        CHECK(colors.row(y)[x * 3] == palette[static_cast<std::size_t>(i)].red);
        CHECK(colors.row(y)[x * 3 + 1] == palette[static_cast<std::size_t>(i)].green);
        CHECK(colors.row(y)[x * 3 + 2] == palette[static_cast<std::size_t>(i)].blue);
      }
  }
}

TEST_CASE("io: 16-bit PNGs keep the upper byte, alpha and transparent colours are dropped") {
  struct layout {
    int type, channels;
  };
  for (const layout l : {layout{PNG_COLOR_TYPE_GRAY, 1}, layout{PNG_COLOR_TYPE_GRAY_ALPHA, 2},
                         layout{PNG_COLOR_TYPE_RGB, 3}, layout{PNG_COLOR_TYPE_RGB_ALPHA, 4}})
    for (int bytes_per_sample : {1, 2})
      for (bool transparent : {false, true}) {
        const bool has_alpha = l.channels % 2 == 0;
        if (transparent && has_alpha) continue;
        const int width = 9, height = 7, samples = l.channels;
        std::vector<std::uint8_t> rows(
            static_cast<std::size_t>(width * height * samples * bytes_per_sample));
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::uint8_t>(mix64(i));
        const file_data file = made_png(width, height, rows,
                                        {.color_type = l.type,
                                         .bit_depth = 8 * bytes_per_sample,
                                         .transparent_color = transparent,
                                         .gamma = 1.0});
        const image picture = decode_image(file, "samples");
        for (int i = 0; i < width * height; ++i)
          for (int c = 0; c < 3; ++c) {
            const int channel = l.channels < 3 ? 0 : c;
            CHECK(picture.pixels[static_cast<std::size_t>(i * 3 + c)] ==
                  rows[static_cast<std::size_t>((i * samples + channel) * bytes_per_sample)]);
          }
      }
}

TEST_CASE("io: an interlaced PNG holds the same pixels") {
  for (int width : {1, 3, 8, 21}) {
    const image picture = sample_image(width, 13);
    CHECK(decode_image(made_png(width, 13, picture.pixels, {.interlaced = true}), "interlaced") ==
          picture);
  }
}

TEST_CASE("io: a JPEG is decoded at a half, a quarter or an eighth, sides rounded up") {
  const image picture = sample_image(37, 21);
  for (const jpeg_kind& kind : {jpeg_kind{}, jpeg_kind{.progressive = true}}) {
    const file_data file = made_jpeg(picture, kind);
    CHECK(decode_image(file, "photo", {.reduction = 1}) == decode_image(file, "photo"));
    for (int by : {2, 4, 8}) {
      const image reduced = decode_image(file, "photo", {.reduction = by});
      CHECK(reduced.width == (37 + by - 1) / by);
      CHECK(reduced.height == (21 + by - 1) / by);
    }
  }
}

TEST_CASE("io: a reduced JPEG shows the means of the full one") {
  const std::vector<std::vector<std::uint8_t>> colors = {
      {10, 20, 30}, {200, 100, 50}, {90, 90, 90}, {0, 255, 0}};
  const file_data file = made_jpeg(64, 16, patches(colors), {.stored = JCS_RGB});
  for (int by : {2, 4, 8}) {
    const image reduced = decode_image(file, "photo", {.reduction = by});
    for (std::size_t patch = 0; patch < 4; ++patch)
      for (std::size_t c = 0; c < 3; ++c) {
        const std::size_t x = (patch * 16 + 8) / static_cast<std::size_t>(by);
        CHECK(std::abs(reduced.row(8 / by)[x * 3 + c] - colors[patch][c]) <= 1);
      }
  }
}

TEST_CASE("io: a reduced JPEG is turned upright, and its full size is known from the header") {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string app1 = std::string("Exif\0\0", 6) + exif_with_orientation(orientation, false);
    const file_data file = made_jpeg(sample_image(40, 16), {.app1 = app1});
    const bool turned = orientation >= 5;
    const image reduced = decode_image(file, "photo", {.reduction = 4});
    CHECK(reduced.width == (turned ? 4 : 10));
    CHECK(reduced.height == (turned ? 10 : 4));
    CHECK(reducible_size(file, "photo") == (turned ? image_size{16, 40} : image_size{40, 16}));
    CHECK(reducible_size(file, "photo", {.apply_exif = false}) == image_size{40, 16});
  }
}

TEST_CASE("io: a PNG is not reduced") {
  const image picture = sample_image(30, 20);
  const file_data file = made_png(30, 20, picture.pixels);
  CHECK(decode_image(file, "photo", {.reduction = 8}) == picture);
  CHECK_FALSE(reducible_size(file, "photo"));
}

TEST_CASE("io: damage is found in reduced JPEGs too, other reductions are refused") {
  const file_data file = made_jpeg(sample_image(64, 64));
  const std::span<const std::byte> whole(file);
  CHECK(contains(refusal(whole.first(file.size() / 2), {.reduction = 8}), "truncated"));
  for (int by : {-1, 0, 3, 16})
    CHECK(contains(refusal(file, {.reduction = by}), "1, 2, 4 and 8 are possible"));
  CHECK_THROWS_AS(reducible_size(whole.first(20), "photo"), image_error);
  CHECK_THROWS_AS(reducible_size(file, "photo", {.max_pixels = 100}), image_error);
  CHECK_THROWS_AS(reducible_size(std::as_bytes(std::span("GIF89a")), "photo"), image_error);
}

TEST_CASE("io: every shared photo decodes" * doctest::test_suite("oracle")) {
  const auto dev = shared_data("data/imagenet_dev"), flowers = shared_data("data/flowers5");
  if (!dev || !flowers) return;
  int photos = 0;
  for (const auto& folder : {*dev, *flowers})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".jpg") continue;
      const image picture = read_image(entry.path());
      CHECK(picture.width >= 32);
      ++photos;
    }
  CHECK(photos >= 500 + 1330 + 285);
}
