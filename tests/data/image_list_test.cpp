#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <effnet/core/rng.hpp>
#include <effnet/data/image_list.hpp>
#include <effnet/images.hpp>

#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

/// A folder with a.png to d.png, "x, y.png" and a list.
struct listed {
  temporary_folder folder;
  std::string list;

  explicit listed(std::string_view text) : list(folder / "list.csv") {
    for (const char* name : {"a.png", "b.png", "c.png", "d.png", "x, y.png"})
      write_png(folder / name, make_image(2, 2));
    write_bytes(list, text);
  }
  std::string refusal(std::vector<std::string> classes = {}) const {
    try {
      read_image_list(list, std::move(classes));
    } catch (const file_error& e) {
      return e.what();
    }
    return "";
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("data: a list of pictures keeps its order; classes are sorted") {
  const listed made(
      "path,label\r\nb.png,rose\r\na.png,aster\r\n\r\n\"x, y.png\" , \"a \"\"b\"\"\"\n");
  const image_files set = read_image_list(made.list);
  REQUIRE(set.count() == 3);
  CHECK(set.classes() == std::vector<std::string>{"a \"b\"", "aster", "rose"});
  CHECK(set.name(0) == "b.png");
  CHECK(set.label(0) == 2);
  CHECK(set.label(1) == 1);
  CHECK(set.label(2) == 0);
  CHECK(set.image(2).width == 2);
  CHECK(set.warnings().empty());
}

TEST_CASE("data: numbers as classes are sorted as numbers") {
  const listed made("a.png,10\nb.png,9\nc.png,100\n");
  CHECK(read_image_list(made.list).classes() == std::vector<std::string>{"9", "10", "100"});
}

TEST_CASE("data: a line may have several labels, and padding") {
  const listed made("a.png,cat,dog,\nb.png,dog,dog,,\nc.png,emu\n");
  const image_files set = read_image_list(made.list);
  REQUIRE(set.labels(0).size() == 2);
  CHECK(set.labels(0)[0] == 0);
  CHECK(set.labels(0)[1] == 1);
  CHECK(set.labels(1).size() == 1);
  CHECK(set.labels(1)[0] == 1);
  CHECK(set.label(2) == 2);
}

TEST_CASE("data: under a heading the columns count by their names") {
  const listed made("number,Image,size,label_1,label 2\n1,a.png,9,cat,\n2,b.png,8,dog,cat,emu\n");
  const image_files set = read_image_list(made.list);
  CHECK(set.classes() == std::vector<std::string>{"cat", "dog", "emu"});
  CHECK(set.name(0) == "a.png");
  CHECK(set.labels(0).size() == 1);
  CHECK(set.labels(1).size() == 3);
  REQUIRE(set.warnings().size() == 1);
  CHECK(has(set.warnings()[0], "2 columns of"));
  CHECK(has(set.warnings()[0], "'number' and others"));
  const listed two("path,species\na.png,cat\n");
  CHECK(read_image_list(two.list).classes() == std::vector<std::string>{"cat"});
  CHECK(has(listed("path,size,species\na.png,9,cat\n").refusal(), "without a column of labels"));
}

TEST_CASE("data: a list takes the classes of its training set") {
  const listed made("a.png,cat\nb.png,dog\n");
  const image_files set = read_image_list(made.list, {"dog", "emu", "cat"});
  CHECK(set.label(0) == 2);
  CHECK(set.label(1) == 0);
  CHECK(has(made.refusal({"cat", "emu"}), "line 2 of"));
  CHECK(has(made.refusal({"cat", "emu"}), "class 'dog', which is none of the 2"));
}

TEST_CASE("data: pictures of a list that are not there are a warning, none at all an error") {
  const listed some("a.png,cat\ngone.png,dog\nfar/gone.png,dog\n");
  const image_files set = read_image_list(some.list);
  CHECK(set.count() == 1);
  REQUIRE(set.warnings().size() == 1);
  CHECK(has(set.warnings()[0], "2 pictures of"));
  CHECK(has(set.warnings()[0], "gone.png' (line 2) and others"));
  CHECK(has(listed("gone.png,dog\n").refusal(), "1 picture of"));
}

TEST_CASE("data: malformed lists are refused with the line") {
  CHECK(has(listed("").refusal(), "lists no pictures"));
  CHECK(has(listed("path,label\n").refusal(), "lists no pictures"));
  CHECK(has(listed("a.png,cat\nb.png\n").refusal(), "line 2 of"));
  CHECK(has(listed("a.png,\n").refusal(), "is no path with labels"));
  CHECK(has(listed(",cat\n").refusal(), "is no path with labels"));
  CHECK(has(listed("\"a.png,cat\n").refusal(), "a quote that does not end"));
  CHECK(has(listed(std::string_view("a.png\0,cat\n", 11)).refusal(), "is no text"));
  CHECK_THROWS_AS(read_image_list("/no/such/list.csv"), file_error);
}

TEST_CASE("data: no damage of a list is more than a file_error") {
  const listed made("");
  const std::string good = "path,label\na.png,\"cat\"\nb.png,dog,cat\nd.png,emu\n";
  int read = 0;
  for (std::uint64_t round = 0; round < 500; ++round) {
    std::string text = good;
    for (std::uint64_t k = 0; k < 2; ++k)
      text[mix64(round * 8 + k) % text.size()] = "\",\n\r a\x01\xFF"[mix64(round * 8 + k + 4) % 8];
    if (round % 5 == 0) text.resize(mix64(round) % text.size());
    write_bytes(made.list, text);
    try {
      read += read_image_list(made.list).count() > 0;
    } catch (const file_error&) {
    }
  }
  CHECK(read > 100);
}
