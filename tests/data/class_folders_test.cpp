#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <effnet/data/class_folders.hpp>
#include <effnet/images.hpp>

#include "shared_data.hpp"
#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

void write_picture(const std::string& path, int shade) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  image picture = make_image(4, 3);
  for (std::uint8_t& value : picture.pixels) value = static_cast<std::uint8_t>(shade);
  path.ends_with("g") && !path.ends_with(".png") ? write_jpeg(path, picture)
                                                 : write_png(path, picture);
}

std::string refusal(const std::string& folder, std::vector<std::string> classes = {}) {
  try {
    read_class_folders(folder, std::move(classes));
  } catch (const file_error& e) {
    return e.what();
  }
  return "";
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE(
    "data: class folders give sorted classes and a stable order, with what is one level down") {
  const temporary_folder folder;
  write_picture(folder / "set/tulip/b.png", 1);
  write_picture(folder / "set/tulip/a.JPG", 2);
  write_picture(folder / "set/rose/deep/z.jpeg", 3);
  write_picture(folder / "set/rose/y.png", 4);
  write_picture(folder / "set/Aster/x.png", 5);
  write_bytes(folder / "set/rose/notes.txt", "none");
  write_bytes(folder / "set/readme", "none");
  write_bytes(folder / "set/.DS_Store", "none");
  const image_files set = read_class_folders(folder / "set");
  CHECK(set.classes() == std::vector<std::string>{"Aster", "rose", "tulip"});
  REQUIRE(set.count() == 5);
  const std::vector<std::string> names{"Aster/x.png", "rose/deep/z.jpeg", "rose/y.png",
                                       "tulip/a.JPG", "tulip/b.png"};
  const int labels[] = {0, 1, 1, 2, 2}, shades[] = {5, 3, 4, 2, 1};
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(set.name(i) == names[i]);
    CHECK(set.label(i) == labels[i]);
    CHECK(set.labels(i).size() == 1);
    CHECK(int{set.image(i).pixels[0]} == shades[i]);
  }
  CHECK(set.ignored() == 2);
  CHECK(set.warnings().empty());
  CHECK(class_counts(set) == std::vector<std::size_t>{1, 2, 2});
}

TEST_CASE("data: a validation set is labelled by the classes of its training set") {
  const temporary_folder folder;
  write_picture(folder / "set/rose/y.png", 4);
  std::filesystem::create_directories(folder / "set/tulip");
  const image_files set = read_class_folders(folder / "set", {"tulip", "daisy", "rose"});
  CHECK(set.classes().size() == 3);
  CHECK(set.label(0) == 2);
  REQUIRE(set.warnings().size() == 1);
  CHECK(has(set.warnings()[0], "no pictures in its class folder 'tulip'"));
  CHECK(has(refusal(folder / "set", {"tulip"}), "class folder 'rose', which is none of the 1"));
}

TEST_CASE("data: an empty class folder, no class folders and no folder are refused") {
  const temporary_folder folder;
  CHECK(has(refusal(folder / "none"), "cannot read the folder"));
  CHECK(has(refusal(folder / ""), "has no class folders"));
  write_picture(folder / "set/rose/y.png", 4);
  CHECK(has(refusal(folder / "set/rose"), "has no class folders"));
  CHECK(has(refusal(folder / "set/rose/y.png"), "cannot read the folder"));
  std::filesystem::create_directories(folder / "set/tulip");
  CHECK(has(refusal(folder / "set"), "class folder 'tulip'"));
  write_picture(folder / "parts/train/rose/y.png", 4);
  write_picture(folder / "parts/Val/rose/y.png", 4);
  CHECK(has(refusal(folder / "parts"), "holds the parts of a data set"));
}

TEST_CASE("data: pictures in other formats and folders too deep are warned of") {
  const temporary_folder folder;
  write_picture(folder / "set/rose/y.png", 4);
  write_picture(folder / "set/rose/one/two/y.png", 4);
  write_bytes(folder / "set/rose/a.WebP", "RIFF");
  write_bytes(folder / "set/rose/b.gif", "GIF8");
  const image_files set = read_class_folders(folder / "set");
  CHECK(set.count() == 1);
  CHECK(set.ignored() == 2);
  REQUIRE(set.warnings().size() == 2);
  CHECK(has(set.warnings()[0], "lies too deep"));
  CHECK(has(set.warnings()[1], "2 pictures"));
  CHECK(has(set.warnings()[1], "rose/a.WebP"));
}

TEST_CASE("data: links among class folders neither loop nor count where they lead nowhere") {
  const temporary_folder folder;
  write_picture(folder / "set/rose/y.png", 4);
  std::filesystem::create_directory_symlink(folder / "set", folder / "set/rose/again");
  std::filesystem::create_symlink(folder / "nothing", folder / "set/rose/gone.png");
  std::filesystem::create_directory_symlink(folder / "set/rose", folder / "set/also");
  const image_files set = read_class_folders(folder / "set");
  CHECK(set.count() == 2);
  CHECK(set.classes() == std::vector<std::string>{"also", "rose"});
}

TEST_CASE("data: a broken picture fails alone, with its path") {
  const temporary_folder folder;
  write_picture(folder / "set/rose/y.png", 4);
  write_bytes(folder / "set/rose/x.png", "\x89PNG\r\n\x1a\nand no more");
  const image_files set = read_class_folders(folder / "set");
  REQUIRE(set.count() == 2);
  CHECK_THROWS_WITH_AS(set.image(0), doctest::Contains("rose/x.png"), image_error);
  CHECK(set.image(1).width == 4);
}

TEST_CASE("data: the flower photos are 5 classes") {
  const auto flowers = shared_data("data/flowers5/val");
  if (!flowers) return;
  const image_files set = read_class_folders(flowers->string());
  CHECK(set.count() == 285);
  CHECK(set.classes().size() == 5);
  CHECK(set.ignored() == 0);
  CHECK(set.image(0).width > 0);
}
