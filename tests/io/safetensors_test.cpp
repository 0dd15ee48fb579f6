#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/io/safetensors.hpp>
#include <effnet/io/write_safetensors.hpp>

#include "shared_data.hpp"
#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

std::string safetensors(std::string_view header, std::string_view data = {}) {
  return little_endian(std::uint64_t{header.size()}) + std::string(header) + std::string(data);
}

state_dict parse(std::string_view bytes) {
  return parse_safetensors(bytes_of(bytes), nullptr, "t.safetensors");
}

void check_refused(std::string_view bytes, const char* because) {
  CAPTURE(because);
  CHECK_THROWS_WITH_AS(parse(bytes), doctest::Contains(because), file_error);
}

/// One tensor 'a' with the given description and 8 bytes of data.
void check_entry_refused(std::string_view entry, const char* because) {
  check_refused(safetensors(sentence("{\"a\":", entry, "}"), "12345678"), because);
}

raw_tensor tensor_of(std::string_view data, dtype type, std::vector<std::int64_t> shape) {
  raw_tensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.data = bytes_of(data).data();
  return tensor;
}

}  // namespace

TEST_CASE("io: safetensors are read in the header's order, with types, shapes and metadata") {
  const std::string bytes = safetensors(
      R"( {"b":{"dtype":"F32","shape":[1,2],"data_offsets":[2,10]},
          "a":{"data_offsets":[0,2],"shape":[],"dtype":"BF16"},
          "none":{"dtype":"I64","shape":[3,0],"data_offsets":[2,2]},
          "__metadata__":{"k":"v\u00e9\ud83d\ude00\n"}}  )" +
          1,  // must begin with '{'
      "0123456789");
  const state_dict dict = parse(bytes);
  REQUIRE(dict.tensors.size() == 3);
  CHECK(dict.tensors[0].first == "b");
  CHECK(dict.tensors[0].second.shape == std::vector<std::int64_t>{1, 2});
  CHECK(std::memcmp(dict.tensors[0].second.data, "23456789", 8) == 0);
  CHECK(dict.tensors[1].second.type == dtype::bf16);
  CHECK(dict.tensors[1].second.elements() == 1);
  CHECK(dict.tensors[2].second.elements() == 0);
  CHECK(dict.metadata.at("k") == "v\xC3\xA9\xF0\x9F\x98\x80\n");
  CHECK(dict.path == "t.safetensors");
}

TEST_CASE("io: a truncated or oversized safetensors header is refused") {
  check_refused("", "the length of its header alone needs 8");
  check_refused("1234567", "it has 7 bytes");
  check_refused(little_endian(std::uint64_t{9}) + "{}", "is truncated: its header has 9 bytes");
  check_refused(little_endian(std::uint64_t{100'000'001}) + "{}", "more than 100 MB");
  check_refused(little_endian(~std::uint64_t{0}) + "{}", "more than 100 MB");
  check_refused(safetensors(" {}"), "does not begin with '{'");
}

TEST_CASE("io: every truncation of a safetensors file is refused") {
  const std::string whole = safetensors(
      R"({"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
      "12345678");
  CHECK_NOTHROW(parse(whole));
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_THROWS_AS(parse(std::string_view(whole).substr(0, length)), file_error);
}

TEST_CASE("io: a safetensors header that is no strict JSON is refused") {
  for (const auto& [header, because] : std::vector<std::pair<std::string, const char*>>{
           {"{", "'\"' expected"},
           {"{}x", "nothing more expected"},
           {"{,}", "'\"' expected"},
           {"{\"a\"}", "':' expected"},
           {"{\"a\":1}", "'{' expected"},
           {"{\"a", "a string does not end"},
           {"{\"a\n\":{}}", "a control character"},
           {"{\"\\x\":{}}", "an unknown escape"},
           {"{\"\\u12g4\":{}}", "four hexadecimal digits"},
           {"{\"\\ud800\":{}}", "half of a surrogate pair"},
           {"{\"\\ud800\\u0041\":{}}", "half of a surrogate pair"},
           {"{\"\\udc00\":{}}", "half of a surrogate pair"},
           {"{\"\xff\":{}}", "not valid UTF-8"},
           {"{\"\xc0\xaf\":{}}", "not valid UTF-8"},
           {"{\"\xed\xa0\x80\":{}}", "not valid UTF-8"},
           {"{\"__metadata__\":{\"a\":1}}", "'\"' expected"},
           {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", "metadata key 'a' twice"},
           {"{\"__metadata__\":{},\"__metadata__\":{}}", "'__metadata__' twice"}})
    check_refused(safetensors(header), because);
}

TEST_CASE("io: a malformed safetensors entry is refused with its own sentence") {
  check_entry_refused("{}", "needs 'dtype', 'shape' and two 'data_offsets'");
  check_entry_refused(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})", "two 'data_offsets'");
  check_entry_refused(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})", "two offsets");
  check_entry_refused(R"({"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})",
                      "'dtype' of tensor 'a' twice");
  check_entry_refused(R"({"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]})",
                      "element type 'F8_E4M3', which is not supported");
  check_entry_refused(R"({"dtype":1,"shape":[2],"data_offsets":[0,8]})", "expected");
  check_entry_refused(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1})",
                      "unknown key 'x'");
  check_entry_refused(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})",
                      "a whole number from 0");
  check_entry_refused(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})", "a whole number");
  check_entry_refused(R"({"dtype":"F32","shape":[02],"data_offsets":[0,8]})", "leading zero");
  check_entry_refused(R"({"dtype":"F32","shape":["2"],"data_offsets":[0,8]})", "a whole number");
  check_entry_refused(R"({"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]})",
                      "beyond 64 bits");
  check_entry_refused(R"({"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,8],)"
                      R"("data_offsets":[0,8]})",
                      "more than 16 extents");
}

TEST_CASE("io: safetensors offsets that lie about the data are refused") {
  check_entry_refused(R"({"dtype":"F32","shape":[3],"data_offsets":[0,12]})",
                      "lies at bytes 0 to 12 of 8");
  check_entry_refused(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})",
                      "lies at bytes 8 to 0");
  check_entry_refused(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})",
                      "has 8 bytes, which is not [3] of F32");
  check_entry_refused(R"({"dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8]})",
                      "which is not");
  check_entry_refused(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})", "leaves a gap before");
  check_entry_refused(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})",
                      "4 bytes after its last tensor");
  check_refused(safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                            R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                            "12345678"),
                "'b' of 't.safetensors' overlaps another");
  check_refused(safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                            R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                            "12345678"),
                "tensor 'a' is twice");
}

TEST_CASE("io: names from a file are shown without control characters, and cut") {
  check_refused(safetensors("{\"\\u001b[31m" + std::string(300, 'x') + "\":{}}"), "'?[31mxxx");
  check_refused(safetensors("{\"\\u001b[31m" + std::string(300, 'x') + "\":{}}"), "xxx...'");
}

TEST_CASE("io: safetensors are written aligned, and read back the same") {
  const temporary_folder folder;
  state_dict dict;
  dict.metadata = {{"quote \" \\ \n", "\xC3\xA9"}, {"z", ""}};
  dict.tensors.emplace_back("half", tensor_of("ab", dtype::f16, {1, 1}));
  dict.tensors.emplace_back("count", tensor_of("12345678", dtype::i64, {}));
  dict.tensors.emplace_back("x", tensor_of("abcdefgh", dtype::f32, {2}));
  dict.tensors.emplace_back("none", tensor_of("", dtype::f32, {0, 7}));
  const std::string path = folder / "a.safetensors", again = folder / "b.safetensors";
  write_safetensors(path, dict);

  const state_dict read = read_safetensors(path);
  CHECK(read.metadata == dict.metadata);
  REQUIRE(read.tensors.size() == 4);
  const std::byte* lowest = read.find("count")->data;  // the widest come first
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& [name, tensor] = read.tensors[i];
    CHECK(name == dict.tensors[i].first);
    CHECK(tensor.type == dict.tensors[i].second.type);
    CHECK(tensor.shape == dict.tensors[i].second.shape);
    CHECK(std::memcmp(tensor.data, dict.tensors[i].second.data, tensor.bytes()) == 0);
    CHECK((tensor.data - lowest) % static_cast<std::ptrdiff_t>(size_of(tensor.type)) == 0);
  }
  std::uint64_t header = 0;
  std::memcpy(&header, file_bytes(path).data(), sizeof header);
  CHECK(header % 8 == 0);

  write_safetensors(again, read);
  CHECK(file_bytes(path) == file_bytes(again));
}

TEST_CASE("io: a file that cannot be written whole leaves the old one and nothing beside it") {
  const temporary_folder folder;
  const std::string path = folder / "a.safetensors";
  write_bytes(path, "old");
  state_dict dict;
  dict.tensors.emplace_back("a", tensor_of("abcd", dtype::f32, {1}));
  dict.tensors.emplace_back("a", tensor_of("abcd", dtype::f32, {1}));
  CHECK_THROWS_WITH_AS(write_safetensors(path, dict),
                       doctest::Contains("two tensors are named 'a'"), file_error);
  dict.tensors[1].first = "\xff";
  CHECK_THROWS_WITH_AS(write_safetensors(path, dict), doctest::Contains("not UTF-8"), file_error);
  {
    atomic_file unfinished(path);
    unfinished.write("half of it");
  }
  CHECK(file_bytes(path) == "old");
  CHECK(folder.files() == 1);
  dict.tensors.pop_back();
  CHECK_THROWS_WITH_AS(write_safetensors("/dev/null", dict),
                       doctest::Contains("not a regular file"), file_error);
  CHECK_THROWS_WITH_AS(write_safetensors(folder / "none/a", dict),
                       doctest::Contains("No such file"), file_error);
}

TEST_CASE("io: files that cannot be mapped are refused with the reason") {
  const temporary_folder folder;
  CHECK_THROWS_WITH_AS(map_file(folder / "none"), doctest::Contains("No such file"), file_error);
  CHECK_THROWS_WITH_AS(map_file(folder / ""), doctest::Contains("is a folder"), file_error);
  CHECK_THROWS_WITH_AS(map_file("/dev/zero"), doctest::Contains("not a regular file"), file_error);
  write_bytes(folder / "empty", "");
  CHECK(map_file(folder / "empty").bytes.empty());
}

TEST_CASE("io: releasing pages of a mapping keeps its content, and leaves other memory alone") {
  const temporary_folder folder;
  std::string content(3 * 4096 + 100, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7);
  write_bytes(folder / "a", content);
  const file_mapping mapping = map_file(folder / "a");
  release_pages(mapping.owner, mapping.bytes.subspan(10, 9000));
  release_pages(mapping.owner, mapping.bytes.subspan(9010));
  CHECK(std::memcmp(mapping.bytes.data(), content.data(), content.size()) == 0);

  const auto memory = std::make_shared<std::vector<std::byte>>(3 * 4096, std::byte{42});
  release_pages(memory, *memory);
  release_pages(mapping.owner, *memory);  // not its range
  CHECK(memory->at(5000) == std::byte{42});
}

TEST_CASE("io: real weights are read from the mapping") {
  const auto path = shared_data("weights/efficientnet_lite0.safetensors");
  if (!path) return;
  const state_dict dict = read_safetensors(*path);
  CHECK(dict.tensors.size() == 247);
  CHECK(dict.metadata.at("padding") == "TF SAME");
  REQUIRE(dict.find("_conv_stem.weight") != nullptr);
  CHECK(shape_text(dict.find("_conv_stem.weight")->shape) == "[32, 3, 3, 3]");

  const file_mapping whole = map_file(*path);
  for (std::size_t missing : {std::size_t{1}, std::size_t{4096}, whole.bytes.size() - 20000})
    CHECK_THROWS_AS(
        parse_safetensors(whole.bytes.first(whole.bytes.size() - missing), nullptr, "cut"),
        file_error);
}
