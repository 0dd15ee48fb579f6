#include <doctest/doctest.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/tar_shards.hpp>
#include <effnet/io/encode.hpp>

#include "pictures.hpp"
#include "shared_data.hpp"
#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

/// An entry of an archive, padded to whole blocks.
std::string entry(const std::string& name, const std::string& content) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    block.replace(at, text.size(), text);
  };
  const auto octal = [](std::size_t value, int width) {
    char text[32];
    std::snprintf(text, sizeof text, "%0*zo", width, value);
    return std::string(text);
  };
  put(0, name);
  put(100, "0000644");
  put(124, octal(content.size(), 11));
  put(148, "        ");
  put(156, "0");
  put(257, "ustar");
  put(263, "00");
  std::size_t sum = 0;
  for (char c : block) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  std::string padded = content;
  padded.resize((content.size() + 511) / 512 * 512, '\0');
  return block + padded;
}
const std::string end_mark(1024, '\0');

std::string png(std::uint64_t seed) {
  const auto file = encode_png(noise_picture(5, 4, seed));
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}

std::string refusal(const std::string& path, const std::vector<std::string>& classes = {}) {
  try {
    read_tar_shards(path, classes);
  } catch (const file_error& e) {
    return e.what();
  }
  return "read";
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("data: a tar's pictures have the classes of their folders") {
  const temporary_folder folder;
  write_bytes(folder / "a.tar", entry("./dog/2.png", png(1)) + entry("cat/1.png", png(2)) +
                                    entry("./cat/deep/3.PNG", png(3)) +
                                    entry("cat/notes.txt", "x") + entry("cat/._1.png", "x") +
                                    end_mark);
  const tar_shards set = read_tar_shards(folder / "a.tar");
  CHECK(set.classes() == names{"cat", "dog"});
  REQUIRE(set.count() == 3);
  CHECK(set.ignored() == 2);
  CHECK(set.warnings().empty());
  CHECK(set.name(0) == "dog/2.png");
  CHECK(set.name(2) == "cat/deep/3.PNG");
  const int labels[] = {1, 0, 0};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(set.label(i) == labels[i]);
    CHECK(set.group(i) == 0);
    CHECK(set.image(i) == noise_picture(5, 4, i + 1));
  }
  const std::optional<encoded_image> file = set.encoded(1);
  CHECK(decode_image(file->bytes, file->name) == set.image(1));
  CHECK(contains(file->name, "a.tar': cat/1.png"));
}

TEST_CASE("data: the tars of a folder are one set, classes sorted over all") {
  const temporary_folder folder;
  write_bytes(folder / "s-1.tar",
              entry("zebra/1.png", png(1)) + entry("cat/1.png", png(2)) + end_mark);
  write_bytes(folder / "s-0.tar", entry("dog/1.png", png(3)) + end_mark);
  write_bytes(folder / "readme.txt", "not a tar");
  const tar_shards set = read_tar_shards(folder / "");
  CHECK(set.classes() == names{"cat", "dog", "zebra"});
  REQUIRE(set.count() == 3);
  CHECK(set.name(0) == "dog/1.png");
  CHECK(set.group(0) == 0);
  CHECK(set.group(1) == 1);
  CHECK(set.label(1) == 2);
  CHECK(set.image(0) == noise_picture(5, 4, 3));
}

TEST_CASE("data: folders above the classes of a tar are passed through") {
  const temporary_folder folder;
  write_bytes(folder / "a.tar",
              entry("set/train/b/1.png", png(1)) + entry("set/train/a/1.png", png(2)) + end_mark);
  CHECK(read_tar_shards(folder / "a.tar").classes() == names{"a", "b"});
  // one class with folders in it is no folder above, where the classes are known
  write_bytes(folder / "b.tar", entry("b/x/1.png", png(1)) + entry("b/y/1.png", png(2)) + end_mark);
  const tar_shards one = read_tar_shards(folder / "b.tar", {"a", "b"});
  CHECK(one.label(0) == 1);
  CHECK(one.label(1) == 1);
}

TEST_CASE("data: a tar's labels follow the classes given") {
  const temporary_folder folder;
  write_bytes(folder / "a.tar", entry("cat/1.png", png(1)) + entry("dog/1.png", png(2)) + end_mark);
  const tar_shards set = read_tar_shards(folder / "a.tar", {"dog", "ant", "cat"});
  CHECK(set.label(0) == 2);
  CHECK(set.label(1) == 0);
  CHECK(contains(refusal(folder / "a.tar", {"cat", "ant"}),
                 "has the class folder 'dog', which is none of the 2 classes"));
}

TEST_CASE("data: a broken shard is refused by its name") {
  const temporary_folder folder;
  const std::string good = entry("cat/1.png", png(1)) + end_mark;
  write_bytes(folder / "0.tar", good);
  write_bytes(folder / "1.tar", good.substr(0, 600));
  CHECK(contains(refusal(folder / ""), "1.tar' is truncated"));
  write_bytes(folder / "1.tar", std::string(1024, 'x'));
  CHECK(contains(refusal(folder / ""), "1.tar' is no tar file"));
  write_bytes(folder / "1.tar", "\x1f\x8b\x08");
  CHECK(contains(refusal(folder / ""), "1.tar' is compressed with gzip"));
}

TEST_CASE("data: tars without pictures in classes are refused with what was expected") {
  const temporary_folder folder;
  CHECK(contains(refusal(folder / ""), "has no .tar files"));
  CHECK(contains(refusal(folder / "none.tar"), "cannot open"));
  write_bytes(folder / "a.tar", entry("readme.txt", "x") + end_mark);
  CHECK(contains(refusal(folder / "a.tar"), "has no pictures: expected CLASS/NAME.jpg"));
  write_bytes(folder / "a.tar", entry("1.png", png(1)) + end_mark);
  CHECK(contains(refusal(folder / "a.tar"), "has no pictures: expected CLASS/NAME.jpg"));
  write_bytes(folder / "a.tar", entry("1.png", png(1)) + entry("c/1.png", png(1)) + end_mark);
  const tar_shards set = read_tar_shards(folder / "a.tar");
  CHECK(set.count() == 1);
  CHECK(set.ignored() == 1);
  REQUIRE(set.warnings().size() == 1);
  CHECK(contains(set.warnings()[0], "has 1 picture outside class folders"));
}

TEST_CASE("data: a folder with the tars of train and validation is refused") {
  const temporary_folder folder;
  write_bytes(folder / "train.tar", entry("cat/1.png", png(1)) + end_mark);
  CHECK(refusal(folder / "") == "read");
  write_bytes(folder / "val.tar", entry("cat/1.png", png(1)) + end_mark);
  CHECK(contains(refusal(folder / ""), "holds the parts of a data set"));
}

TEST_CASE("data: a picture in a tar that is damaged is an image_error of its name") {
  const temporary_folder folder;
  write_bytes(folder / "a.tar", entry("cat/1.png", png(1).substr(0, 60)) + end_mark);
  const tar_shards set = read_tar_shards(folder / "a.tar");
  try {
    set.image(0);
    FAIL("decoded");
  } catch (const image_error& e) {
    CHECK(contains(e.what(), "a.tar': cat/1.png"));
  }
}

TEST_CASE("data: real shards are indexed and read") {
  const auto path = shared_data("data/imagenette/train.tar");
  if (!path) return;
  const tar_shards set = read_tar_shards(path->string());
  CHECK(set.count() == 5000);
  CHECK(set.classes().size() == 10);
  CHECK(set.ignored() == 0);
  const std::vector<std::size_t> counts = class_counts(set);
  for (std::size_t count : counts) CHECK(count > 100);
  for (std::size_t i = 0; i < set.count(); i += 250) {
    CHECK(set.name(i).starts_with(set.classes()[static_cast<std::size_t>(set.label(i))]));
    CHECK(set.image(i).width > 50);
  }
}
