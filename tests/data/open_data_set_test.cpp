#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/any_data_set.hpp>
#include <effnet/data/hold_out.hpp>
#include <effnet/data/open_data_set.hpp>
#include <effnet/io/encode.hpp>

#include "pictures.hpp"
#include "shared_data.hpp"
#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

using names = std::vector<std::string>;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

std::string refusal(const std::string& given, const names& classes = {}) {
  try {
    open_data_set(given, set_part::train, classes);
  } catch (const error& e) {
    return e.what();
  }
  return "opened";
}

void write_png(const std::string& path, std::uint64_t seed) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  const auto file = encode_png(noise_picture(5, 4, seed));
  write_bytes(path, {reinterpret_cast<const char*>(file.data()), file.size()});
}

/// Two records of CIFAR-10.
std::string cifar_records(char first, char second) {
  return first + std::string(3072, 'a') + second + std::string(3072, 'b');
}

}  // namespace

TEST_CASE("data: a set keeps what it can when its type is forgotten") {
  const temporary_folder folder;
  write_png(folder / "1.png", 1);
  write_png(folder / "2.png", 2);
  write_bytes(folder / "list.csv", "1.png,b,a\n2.png,a\ngone.png,a\n");
  const image_files files = read_image_list(folder / "list.csv");
  const any_data_set any = files;
  const any_data_set copy = any;
  CHECK(copy.count() == 2);
  CHECK(copy.classes() == names{"a", "b"});
  CHECK(&copy.classes() == &any.classes());
  CHECK(copy.label(0) == 1);
  CHECK(copy.labels(0) == std::vector<int>{1, 0});
  CHECK(copy.name(1) == "2.png");
  CHECK(copy.image(1) == noise_picture(5, 4, 2));
  const std::optional<encoded_image> file = copy.encoded(1);
  REQUIRE(file);
  CHECK(decode_image(file->bytes, file->name) == copy.image(1));
  CHECK(copy.warnings() == files.warnings());
  CHECK(copy.warnings().size() == 1);
  CHECK(copy.ignored() == 0);
}

TEST_CASE("data: a set without files, groups and several labels is like one with single ones") {
  const any_data_set any = shapes(30);
  CHECK(any.count() == 30);
  CHECK_FALSE(any.encoded(3));
  CHECK(any.labels(3) == std::vector<int>{any.label(3)});
  CHECK(any.group(29) == 0);
  CHECK(any.warnings().empty());
}

TEST_CASE("data: a part of a set keeps it alive") {
  std::optional<any_data_set> whole = any_data_set(shapes(30));
  const any_data_set part = whole->part({7, 3});
  CHECK_THROWS_WITH_AS(whole->part({30}), "a set of 30 samples has no sample 30", error);
  const std::string name = whole->name(3);
  whole.reset();
  CHECK(part.count() == 2);
  CHECK(part.name(1) == name);
  CHECK(part.image(1) == shapes(30).image(3));
  CHECK(part.label(0) == shapes(30).label(7));
  CHECK(part.classes().size() == 10);
}

TEST_CASE("data: a tenth of every class is held out of any set") {
  const any_data_set set = open_data_set("shapes:300");
  const split parts = hold_out_tenth(set);
  CHECK(parts.held_out == hold_out_tenth(shapes(300)).held_out);
  const any_data_set train = set.part(parts.train), held = set.part(parts.held_out);
  CHECK(class_counts(train) == std::vector<std::size_t>(10, 27));
  CHECK(class_counts(held) == std::vector<std::size_t>(10, 3));
}

TEST_CASE("data: shapes are opened by count and size, the test part with another seed") {
  CHECK(open_data_set("shapes").count() == 10000);
  CHECK(open_data_set("shapes", set_part::test).count() == 1000);
  const any_data_set set = open_data_set("shapes:20x48");
  CHECK(set.count() == 20);
  CHECK(set.image(0).width == 48);
  CHECK(open_data_set("shapes:20").image(0).width == 64);
  CHECK(open_data_set("shapes:20x48", set_part::test).image(0) != set.image(0));
  for (const char* bad : {"shapes:x", "shapes:0", "shapes:-3", "shapes:9x", "shapes:9x0",
                          "shapes:9 ", "shapes:9x9999999", "shapes:99999999999999999999"})
    CHECK(contains(refusal(bad), "is not understood; expected shapes[:COUNT[xSIZE]]"));
}

TEST_CASE("data: folders of classes, of tars and lists are told apart") {
  const temporary_folder folder;
  write_png(folder / "photos/cat/1.png", 1);
  write_png(folder / "photos/dog/1.png", 2);
  write_bytes(folder / "photos/stray.tar", "not read");
  CHECK(open_data_set(folder / "photos").classes() == names{"cat", "dog"});
  CHECK(open_data_set(folder / "photos").ignored() == 1);
  write_bytes(folder / "list.csv", "photos/cat/1.png,cat\n");
  CHECK(open_data_set(folder / "list.csv").count() == 1);
  CHECK(open_data_set(folder / "list.csv", set_part::train, {"ant", "cat"}).label(0) == 1);
  std::filesystem::create_directories(folder / "tars");
  write_bytes(folder / "tars/a.tar", "damaged");
  CHECK(contains(refusal(folder / "tars"), "a.tar' is"));
  CHECK(contains(refusal(folder / "photos/stray.tar"), "stray.tar' is"));
  std::filesystem::create_directories(folder / "empty");
  CHECK(contains(refusal(folder / "empty"), "has no class folders"));
}

TEST_CASE("data: CIFAR and IDX are opened by part") {
  const temporary_folder folder;
  for (int i = 1; i <= 5; ++i)
    write_bytes(folder / sentence("data_batch_", i, ".bin"), cifar_records(1, 2));
  write_bytes(folder / "test_batch.bin", cifar_records(3, 4));
  CHECK(open_data_set("cifar10:" + (folder / "")).count() == 10);
  CHECK(open_data_set("cifar10:" + (folder / ""), set_part::test).label(1) == 4);
  CHECK(contains(refusal("cifar10:" + (folder / ""), {"cat", "dog"}),
                 "has 10 classes ('airplane', ...) that are not the 2 of this model"));
  CHECK(contains(refusal("cifar100:" + (folder / "")), "there is no train.bin"));
  CHECK(contains(refusal("idx:" + (folder / "")), "there is no train-images-idx3-ubyte"));
  write_bytes(folder / "t10k-images-idx3-ubyte",
              std::string("\0\0\x08\x03\0\0\0\x01\0\0\0\x01\0\0\0\x02\x05\x06", 18));
  write_bytes(folder / "t10k-labels-idx1-ubyte", std::string("\0\0\x08\x01\0\0\0\x01\x07", 9));
  CHECK(open_data_set("idx:" + (folder / ""), set_part::test).label(0) == 7);
}

TEST_CASE("data: what is no data set is refused with all forms") {
  const temporary_folder folder;
  CHECK(contains(refusal(folder / "none"), data_set_forms));
  CHECK(contains(refusal("idx"), data_set_forms));
  CHECK(contains(refusal("mnist:/tmp"), data_set_forms));
  CHECK(contains(refusal(""), data_set_forms));
  CHECK(contains(refusal("cifar10:"), "names no folder; expected cifar10:DIR"));
  write_bytes(folder / "a.tar.gz", "x");
  CHECK(contains(refusal(folder / "a.tar.gz"), "is compressed"));
  write_bytes(folder / "a.json", "x");
  CHECK(contains(refusal(folder / "a.json"), data_set_forms));
}

TEST_CASE("data: a folder called like a format is reached by its path") {
  const temporary_folder folder;
  write_png(folder / "shapes/round/1.png", 1);
  CHECK(open_data_set(folder / "shapes").classes() == names{"round"});
}
