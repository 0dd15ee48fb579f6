#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <effnet/io/decode.hpp>
#include <effnet/io/encode.hpp>

#include "made_images.hpp"
#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

TEST_CASE("io: a PNG gives back every pixel") {
  for (int width : {1, 2, 63, 200}) {
    const image picture = sample_image(width, 150);
    CHECK(decode_image(encode_png(picture), "png") == picture);
  }
}

TEST_CASE("io: a JPEG gives back the picture, the better the higher its quality") {
  image picture = make_image(300, 300);  // noise, so that the file outgrows the first buffer
  for (std::size_t i = 0; i < picture.pixels.size(); ++i)
    picture.pixels[i] = static_cast<std::uint8_t>(mix64(i / 3));
  double last_error = 1e9;
  std::size_t last_size = 0;
  for (int quality : {1, 30, 75, 100}) {
    const std::vector<std::byte> file = encode_jpeg(picture, quality);
    const image back = decode_image(file, "jpeg");
    REQUIRE(back.width == 300);
    REQUIRE(back.height == 300);
    double error = 0;
    for (std::size_t i = 0; i < back.pixels.size(); ++i)
      error += std::abs(back.pixels[i] - picture.pixels[i]);
    CHECK(error < last_error);
    CHECK(file.size() > last_size);
    last_error = error;
    last_size = file.size();
  }
  CHECK(last_size > (64u << 10));
  CHECK(last_error / static_cast<double>(picture.pixels.size()) < 2.0);
}

TEST_CASE("io: pictures that cannot be encoded are refused") {
  const image picture = sample_image(8, 8);
  CHECK_THROWS_WITH_AS(encode_jpeg(picture, 0), "the JPEG quality is 0; it must be 1 to 100",
                       image_error);
  CHECK_THROWS_AS(encode_jpeg(picture, 101), image_error);
  CHECK_THROWS_AS(encode_jpeg(image{}), shape_error);
  CHECK_THROWS_AS(encode_png(image{}), shape_error);
  image lying = picture;
  lying.height = 9;
  CHECK_THROWS_AS(encode_png(lying), shape_error);
  CHECK_THROWS_AS(encode_jpeg(lying), shape_error);
  CHECK_THROWS_AS(encode_jpeg(make_image(70000, 1)), image_error);
  CHECK(decode_image(encode_png(make_image(70000, 1)), "wide").width == 70000);
}

TEST_CASE("io: files are written, or the error names them") {
  const temporary_folder folder;
  const image picture = sample_image(16, 9);
  write_png(folder / "a.png", picture);
  write_jpeg(folder / "a.jpg", picture, 90);
  CHECK(read_image(folder / "a.png") == picture);
  CHECK(read_image(folder / "a.jpg") == decode_image(encode_jpeg(picture, 90), "a"));
  try {
    write_png(folder / "none/a.png", picture);
    FAIL("written into a folder that is not there");
  } catch (const file_error& e) {
    CHECK(std::string(e.what()).find(folder / "none/a.png") != std::string::npos);
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder / ""))
    CHECK(entry.path().stem() == "a");  // nothing half-written beside them
}
