#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/io/decode.hpp>
#include <effnet/io/encode.hpp>
#include <effnet/io/exif.hpp>

#include "made_images.hpp"
#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

/// A picture of gray letters: each character is a pixel, rows are separated by '/'.
image letters(std::string_view rows) {
  const int width = static_cast<int>(rows.find('/'));
  image made = make_image(width, static_cast<int>(rows.size() + 1) / (width + 1));
  std::uint8_t* to = made.pixels.data();
  for (char c : rows)
    if (c != '/')
      for (int i = 0; i < 3; ++i) *to++ = static_cast<std::uint8_t>(c);
  return made;
}

constexpr std::array<std::string_view, 9> turned = {"abc/def",  "abc/def",  "cba/fed",
                                                    "fed/cba",  "def/abc",  "ad/be/cf",
                                                    "da/eb/fc", "fc/eb/da", "cf/be/ad"};

std::string exif_marker(const std::string& tiff) {
  return std::string("Exif\0\0", 6) + tiff;
}

std::string xmp_marker(const std::string& packet) {
  return std::string("http://ns.adobe.com/xap/1.0/\0", 29) + packet;
}

}  // namespace

TEST_CASE("io: each of the eight orientations puts the pixels where they were seen") {
  for (int orientation = 1; orientation <= 8; ++orientation)
    CHECK(upright(letters("abc/def"), orientation) ==
          letters(turned[static_cast<std::size_t>(orientation)]));
  CHECK(upright(letters("abc/def"), 0) == letters("abc/def"));
  CHECK(upright(letters("abc/def"), 9) == letters("abc/def"));
}

TEST_CASE("io: a JPEG is turned as its EXIF says, in either byte order, unless told not to") {
  const image picture = sample_image(33, 18);
  const image plain = decode_image(made_jpeg(picture), "plain");
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (bool big_endian : {false, true}) {
      const file_data file =
          made_jpeg(picture, {.app1 = exif_marker(exif_with_orientation(orientation, big_endian))});
      CHECK(decode_image(file, "turned") == upright(plain, orientation));
      CHECK(decode_image(file, "left", {.apply_exif = false}) == plain);
    }
}

TEST_CASE("io: a PNG is turned as its eXIf chunk says, unless told not to") {
  const image picture = sample_image(33, 18);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const file_data file =
        made_png(33, 18, picture.pixels, {.exif = exif_with_orientation(orientation, true)});
    CHECK(decode_image(file, "turned") == upright(picture, orientation));
    CHECK(decode_image(file, "left", {.apply_exif = false}) == picture);
  }
}

TEST_CASE("io: XMP tells the orientation where EXIF does not") {
  const image picture = sample_image(20, 12);
  const image plain = decode_image(made_jpeg(picture), "plain");
  CHECK(decode_image(made_jpeg(picture, {.app1 = xmp_marker("<x tiff:Orientation=\"6\"/>")}),
                     "attribute") == upright(plain, 6));
  CHECK(decode_image(made_jpeg(picture, {.app1 = xmp_marker("<tiff:Orientation>3</tiff:O")}),
                     "element") == upright(plain, 3));
  CHECK(orientation_from_xmp("tiff:Orientation") == 0);
  CHECK(orientation_from_xmp("tiff:Orientation=\"") == 0);
  CHECK(orientation_from_xmp("tiff:Orientation=\"9\"") == 0);
}

TEST_CASE("io: malformed EXIF tells nothing and harms nothing") {
  const std::string good = exif_with_orientation(6, false);
  CHECK(orientation_from_exif(bytes_of(good)) == 6);
  for (std::size_t length = 0; length < 22; ++length)
    CHECK(orientation_from_exif(bytes_of(good.substr(0, length))) == 0);
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int value : {0, 1, 127, 255}) {
      std::string damaged = good;
      damaged[i] = static_cast<char>(value);
      const int orientation = orientation_from_exif(bytes_of(damaged));
      CHECK(orientation >= 0);
      CHECK(orientation <= 8);
    }
  const image picture = sample_image(20, 12);
  const image plain = decode_image(made_jpeg(picture), "plain");
  CHECK(decode_image(made_jpeg(picture, {.app1 = exif_marker(good.substr(0, 12))}), "cut") ==
        plain);
  CHECK(decode_image(made_jpeg(picture, {.app1 = exif_marker("")}), "empty") == plain);
}
