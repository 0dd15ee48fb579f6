#include <doctest/doctest.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/data/tar_reader.hpp>

#include "shared_data.hpp"
#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

std::string padded(std::string text) {
  text.resize((text.size() + 511) / 512 * 512, '\0');
  return text;
}

std::string octal(std::size_t value, int width) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*zo", width, value);
  return text;
}

struct header_fields {
  std::string name;
  std::size_t size = 0;
  char type = '0';
  std::string prefix = "";
  std::string size_field = "";
};

std::string header(const header_fields& fields) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    block.replace(at, text.size(), text);
  };
  put(0, fields.name);
  put(100, "0000644");
  put(124, fields.size_field.empty() ? octal(fields.size, 11) : fields.size_field);
  put(148, "        ");
  put(156, std::string(1, fields.type));
  put(257, std::string("ustar\0"
                       "00",
                       8));
  put(345, fields.prefix);
  std::size_t sum = 0;
  for (char c : block) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  return block;
}

std::string entry(const std::string& name, const std::string& content, char type = '0') {
  return header({.name = name, .size = content.size(), .type = type}) + padded(content);
}

const std::string end_mark(1024, '\0');

std::vector<std::pair<std::string, std::string>> entries(std::string_view tar) {
  tar_reader reader({nullptr, bytes_of(tar)}, "t.tar");
  std::vector<std::pair<std::string, std::string>> found;
  while (const auto entry = reader.next())
    found.emplace_back(entry->name, std::string(reinterpret_cast<const char*>(entry->bytes.data()),
                                                entry->bytes.size()));
  return found;
}

void check_refused(std::string_view tar, const char* because) {
  CAPTURE(because);
  CHECK_THROWS_WITH_AS(entries(tar), doctest::Contains(because), file_error);
}

using list = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("data: regular files of a tar come in order, others are left out") {
  const std::string tar = header({.name = "class/", .type = '5'}) + entry("class/a.jpg", "hello") +
                          header({.name = "link", .size = 7, .type = '2'}) +
                          entry("class/empty", "") + entry("b", std::string(512, 'x')) + end_mark;
  CHECK(entries(tar) ==
        list{{"class/a.jpg", "hello"}, {"class/empty", ""}, {"b", std::string(512, 'x')}});
  CHECK(entries(end_mark).empty());
}

TEST_CASE("data: long names of a tar are read in all three spellings") {
  const std::string longest(180, 'n');
  CHECK(entries(header({.name = "name", .prefix = "some/folder"}) + end_mark) ==
        list{{"some/folder/name", ""}});
  CHECK(entries(entry("././@LongLink", longest + '\0', 'L') + entry("cut", "1") + entry("b", "2") +
                end_mark) == list{{longest, "1"}, {"b", "2"}});
  const std::string record = "190 path=" + longest + "\n";
  REQUIRE(record.size() == 190);
  CHECK(entries(entry("pax", "11 mtime=0\n", 'g') + entry("pax", record, 'x') + entry("cut", "1") +
                entry("b", "2") + end_mark) == list{{longest, "1"}, {"b", "2"}});
}

TEST_CASE("data: sizes of a tar are octal, binary or in a pax record") {
  std::string binary("\x80\0\0\0\0\0\0\0\0\0\0\x03", 12);
  CHECK(entries(header({.name = "a", .size_field = binary}) + padded("abc") + end_mark) ==
        list{{"a", "abc"}});
  CHECK(entries(entry("pax", "9 size=4\n", 'x') + header({.name = "a"}) + padded("abcd") +
                end_mark) == list{{"a", "abcd"}});
}

TEST_CASE("data: names of a tar are cleaned of roots and control characters") {
  CHECK(entries(entry("/abs/./x", "") + entry("././y\x1b[2J", "") + end_mark) ==
        list{{"abs/./x", ""}, {"y?[2J", ""}});
}

TEST_CASE("data: a damaged tar is refused") {
  const std::string good = entry("a", "hello") + end_mark;
  check_refused("", "is empty");
  check_refused("\x1f\x8b\x08", "compressed with gzip");
  check_refused(std::string(512, 'x'), "is no tar file");
  check_refused(good.substr(0, 300), "is truncated");
  check_refused(good.substr(0, 514), "within an entry");
  check_refused(good.substr(0, 1024), "before its end mark");
  std::string flipped = good;
  flipped[3] = 'x';
  check_refused(flipped, "the header at byte 0 has a wrong sum");
  check_refused(header({.name = "a", .size = 0777'7777'7777}) + end_mark, "is truncated");
  check_refused(header({.name = "a", .size_field = std::string(12, '\xff')}) + end_mark,
                "beyond 63 bits");
  check_refused(header({.name = "a", .size_field = "12345678901x"}) + end_mark, "not octal");
  check_refused(entry("p", "9 size=4", 'x') + end_mark, "a pax record is malformed");
  check_refused(entry("p", "99999999999999999999 a=b\n", 'x') + end_mark, "a pax record");
  check_refused(entry("p", "2 \n", 'x') + end_mark, "a pax record is malformed");
  check_refused(entry("p", "27 size=9999999999999999999\n", 'x') + entry("a", "") + end_mark,
                "pax");
  check_refused(entry("a", "", 'S') + end_mark, "sparse");
}

TEST_CASE("data: an archive of real photos is walked") {
  const auto path = shared_data("data/imagenette/val.tar");
  if (!path) return;
  tar_reader reader(*path);
  std::size_t photos = 0;
  while (const auto entry = reader.next()) {
    ++photos;
    CHECK(entry->name.ends_with(".jpg"));
    REQUIRE(entry->bytes.size() > 2);
    CHECK(entry->bytes[0] == std::byte{0xFF});
    CHECK(entry->bytes[1] == std::byte{0xD8});
    release_pages(reader.owner(), entry->bytes);
  }
  CHECK(photos == 1000);
}
