#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <effnet/core/rng.hpp>
#include <effnet/data/idx.hpp>

#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

std::string header(const std::vector<std::uint32_t>& extents, int type = 8) {
  std::string bytes{'\0', '\0', static_cast<char>(type), static_cast<char>(extents.size())};
  for (std::uint32_t extent : extents)
    for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(extent >> shift & 255);
  return bytes;
}

std::string values(std::size_t count, int step) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i)
    bytes += static_cast<char>(i * static_cast<unsigned>(step));
  return bytes;
}

std::string images_file() {
  return header({5, 4, 3}) + values(5 * 4 * 3, 3);
}
std::string labels_file() {
  return header({5}) + values(5, 2);
}

std::string refusal(const temporary_folder& folder, const std::string& images,
                    const std::string& labels, std::vector<std::string> names = {}) {
  write_bytes(folder / "i", images);
  write_bytes(folder / "l", labels);
  try {
    idx(folder / "i", folder / "l", std::move(names));
  } catch (const file_error& e) {
    return e.what();
  }
  return "";
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("data: IDX images become RGB, rows before columns, with the label of their number") {
  const temporary_folder folder;
  write_bytes(folder / "train-images-idx3-ubyte", images_file());
  write_bytes(folder / "train-labels-idx1-ubyte", labels_file());
  write_bytes(folder / "t10k-images.idx3-ubyte", images_file());
  write_bytes(folder / "t10k-labels.idx1-ubyte", labels_file());
  for (set_part part : {set_part::train, set_part::test}) {
    const idx set = read_mnist(folder / "", part);
    REQUIRE(set.count() == 5);
    CHECK(set.classes().size() == 10);
    CHECK(set.classes()[3] == "3");
    for (std::size_t i = 0; i < 5; ++i) {
      CHECK(set.label(i) == static_cast<int>(2 * i));
      const image picture = set.image(i);
      REQUIRE(picture.height == 4);
      REQUIRE(picture.width == 3);
      for (int y = 0; y < 4; ++y)
        for (int x = 0; x < 3; ++x)
          for (int c = 0; c < 3; ++c)
            CHECK(int{picture.row(y)[x * 3 + c]} == static_cast<int>(i) * 36 + (y * 3 + x) * 3);
    }
    CHECK(has(set.name(2), "image 2 of t"));
  }
}

TEST_CASE("data: IDX classes may be named, each of them") {
  const temporary_folder folder;
  CHECK(refusal(folder, images_file(), labels_file(), std::vector<std::string>(9, "n")).empty());
  CHECK(has(refusal(folder, images_file(), labels_file(), {"a", "b"}),
            "has the label 8, but there are names for 2 classes"));
  write_bytes(folder / "l", header({5}) + values(5, 7));
  CHECK(idx(folder / "i", folder / "l").classes().size() == 29);
}

TEST_CASE("data: an IDX header that does not fit its file is refused") {
  const temporary_folder folder;
  const std::string images = images_file(), labels = labels_file();
  CHECK(refusal(folder, images, labels).empty());
  CHECK(has(refusal(folder, "", labels), "is no IDX file"));
  CHECK(has(refusal(folder, "\x1F\x8B" + images, labels), "gzip"));
  CHECK(has(refusal(folder, images.substr(0, 10), labels), "within its header"));
  CHECK(has(refusal(folder, images.substr(0, 75), labels), "asks for 60 bytes of values"));
  CHECK(has(refusal(folder, images + "x", labels), "it has 61"));
  CHECK(has(refusal(folder, labels, images), "has 1 dimensions, expected the 3 of images"));
  CHECK(has(refusal(folder, header({5, 4, 3}, 13) + values(240, 1), labels), "IDX type 13"));
  CHECK(has(refusal(folder, header({0, 4, 3}), labels), "one of its extents is 0"));
  CHECK(has(refusal(folder, header({6, 4, 3}) + values(72, 1), labels), "do not belong together"));
  CHECK(has(refusal(folder, header({1, 1, 70000}) + values(70000, 1), header({1}) + "a"),
            "at most 65536"));
  CHECK(has(refusal(folder, header({~0u, ~0u, ~0u}) + values(9, 1), labels), "beyond any file"));
  // 2^32 * 2^32 wraps to 0 in 64 bit: no such file may pass
  CHECK(has(refusal(folder, header({1u << 31, 1u << 31, 4}), labels), "beyond any file"));
  CHECK_THROWS_AS(read_mnist(folder / "", set_part::train), file_error);
}

TEST_CASE("data: no damage of an IDX file is more than a file_error") {
  const temporary_folder folder;
  int read = 0;
  for (std::uint64_t round = 0; round < 1000; ++round) {
    std::string images = images_file(), labels = labels_file();
    std::string& damaged = round % 3 == 0 ? labels : images;
    for (std::uint64_t k = 0; k < 2; ++k)
      damaged[mix64(round * 8 + k) % (round % 5 == 0 ? damaged.size() : 4 + 4 * 1)] =
          static_cast<char>(mix64(round * 8 + k + 4) % (round % 2 == 0 ? 256 : 10));
    if (round % 7 == 0) damaged.resize(mix64(round) % damaged.size());
    write_bytes(folder / "i", images);
    write_bytes(folder / "l", labels);
    try {
      const idx set(folder / "i", folder / "l");
      for (std::size_t i = 0; i < set.count(); ++i) read += set.image(i).width > 0;
    } catch (const file_error&) {
    }
  }
  CHECK(read > 100);
}
