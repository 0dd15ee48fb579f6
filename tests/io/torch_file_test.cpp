#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/io/read_state_dict.hpp>

#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

// Pickles, instruction by instruction.
std::string text(std::string_view value) {
  return "X" + little_endian(static_cast<std::uint32_t>(value.size())) + std::string(value);
}
std::string integer(std::int32_t value) {
  return "J" + little_endian(value);
}
std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
std::string tuple(const std::vector<int>& values) {
  std::string code = "(";
  for (int value : values) code += integer(value);
  return code + "t";
}
std::string storage(const std::string& type, const std::string& key, int elements) {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cpu") +
         integer(elements) + "tQ";
}
std::string tensor(const std::string& stored, int offset, const std::vector<int>& shape,
                   const std::vector<int>& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + stored + integer(offset) +
         tuple(shape) + tuple(strides) + "\x89" + global("collections", "OrderedDict") + ")RtR";
}
std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string code = "}(";
  for (const auto& [key, value] : items) code += text(key) + value;
  return code + "u";
}
std::string pickle(const std::string& code) {
  return "\x80\x02" + code + ".";
}

// Zip files with stored members.
struct zip_options {
  std::uint16_t method = 0, flags = 0;
  bool wide = false;  ///< sizes and offsets in zip64 fields
};
std::string zip(const std::vector<std::pair<std::string, std::string>>& members,
                const zip_options& options = {}) {
  std::string bytes, directory;
  const auto u16 = [](std::size_t v) { return little_endian(static_cast<std::uint16_t>(v)); };
  const auto u32 = [](std::size_t v) { return little_endian(static_cast<std::uint32_t>(v)); };
  const auto u64 = [](std::size_t v) { return little_endian(static_cast<std::uint64_t>(v)); };
  for (const auto& [name, content] : members) {
    const std::size_t local = bytes.size();
    const std::string common = u16(20) + u16(options.flags) + u16(options.method) + u32(0) + u32(0);
    bytes += "PK\x03\x04" + common + u32(content.size()) + u32(content.size()) + u16(name.size()) +
             u16(0) + name + content;
    const std::string extra =
        options.wide ? u16(1) + u16(24) + u64(content.size()) + u64(content.size()) + u64(local)
                     : "";
    const std::size_t size = options.wide ? 0xFFFFFFFF : content.size();
    directory += "PK\x01\x02" + u16(20) + common + u32(size) + u32(size) + u16(name.size()) +
                 u16(extra.size()) + u16(0) + u16(0) + u16(0) + u32(0) +
                 u32(options.wide ? 0xFFFFFFFF : local) + name + extra;
  }
  const std::size_t at = bytes.size();
  bytes += directory;
  if (options.wide) {
    const std::size_t record = bytes.size();
    bytes += "PK\x06\x06" + u64(44) + u16(45) + u16(45) + u32(0) + u32(0) + u64(members.size()) +
             u64(members.size()) + u64(directory.size()) + u64(at);
    bytes += "PK\x06\x07" + u32(0) + u64(record) + u32(1);
  }
  bytes += "PK\x05\x06" + u32(0) + u16(members.size()) + u16(members.size()) +
           u32(directory.size()) + u32(options.wide ? 0xFFFFFFFF : at) + u16(0);
  return bytes;
}

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

const std::string six = floats({1, 2, 3, 4, 5, 6});

/// A .pth with one dict, and storage "0" of six floats.
std::string pth(const std::string& code, const zip_options& options = {}) {
  return zip({{"archive/data.pkl", pickle(code)}, {"archive/data/0", six}}, options);
}

const std::string magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);

std::string legacy(const std::string& code, const std::string& keys, const std::string& data) {
  return magic + pickle("M\xe9\x03") + pickle(dict({{"little_endian", "\x88"}})) + pickle(code) +
         pickle("](" + keys + "e") + data;
}

state_dict parse(std::string_view bytes) {
  return parse_torch_file(bytes_of(bytes), nullptr, "t.pth");
}

std::vector<float> values_of(const state_dict& dict, std::string_view name) {
  const raw_tensor* tensor = dict.find(name);
  REQUIRE(tensor != nullptr);
  REQUIRE(tensor->type == dtype::f32);
  std::vector<float> values(tensor->elements());
  if (!values.empty()) std::memcpy(values.data(), tensor->data, tensor->bytes());
  return values;
}

void check_refused(std::string_view bytes, const char* because) {
  CAPTURE(because);
  CHECK_THROWS_WITH_AS(parse(bytes), doctest::Contains(because), file_error);
}

const std::string six_floats = storage("FloatStorage", "0", 6);

}  // namespace

TEST_CASE("io: a zip of torch.save gives its tensors without a copy") {
  const std::string bytes = pth(dict({{"a", tensor(six_floats, 0, {2, 3}, {3, 1})},
                                      {"b", tensor(six_floats, 2, {2}, {1})},
                                      {"count", tensor(six_floats, 5, {}, {})}}));
  const state_dict read = parse(bytes);
  REQUIRE(read.tensors.size() == 3);
  CHECK(read.tensors[0].first == "a");
  CHECK(shape_text(read.tensors[0].second.shape) == "[2, 3]");
  CHECK(values_of(read, "a") == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(values_of(read, "b") == std::vector<float>{3, 4});
  CHECK(values_of(read, "count") == std::vector<float>{6});
  const std::byte* first = bytes_of(bytes).data();
  CHECK(read.tensors[0].second.data >= first);
  CHECK(read.tensors[0].second.data < first + bytes.size());
}

TEST_CASE("io: a zip64 of torch.save is read") {
  const std::string bytes = pth(dict({{"a", tensor(six_floats, 0, {6}, {1})}}), {.wide = true});
  CHECK(values_of(parse(bytes), "a").back() == 6);
}

TEST_CASE("io: a legacy file of torch.save is read") {
  const std::string data = little_endian(std::uint64_t{6}) + six + little_endian(std::uint64_t{1}) +
                           little_endian(std::int64_t{7});
  const std::string code = dict({{"a", tensor(six_floats, 0, {6}, {1})},
                                 {"n", tensor(storage("LongStorage", "1", 1), 0, {}, {})}});
  const std::string bytes = legacy(code, text("0") + text("1"), data);
  const state_dict read = parse(bytes);
  CHECK(values_of(read, "a").back() == 6);
  std::int64_t count = 0;
  std::memcpy(&count, read.find("n")->data, sizeof count);
  CHECK(count == 7);

  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK_THROWS_AS(parse(std::string_view(bytes).substr(0, length)), file_error);
  check_refused(legacy(code, text("0") + text("2"), data), "a storage '2' that nobody uses");
  check_refused(legacy(code, text("0"), data), "its storage '1' nowhere in the file");
  check_refused(legacy(code, text("0"), little_endian(~std::uint64_t{0}) + six), "is cut off");
  check_refused(magic + pickle("K\x01"), "unknown version");
}

TEST_CASE("io: strided tensors of a .pth are put in order") {
  const state_dict read = parse(pth(dict({{"transposed", tensor(six_floats, 0, {3, 2}, {1, 3})},
                                          {"column", tensor(six_floats, 1, {2, 1}, {3, 1})},
                                          {"empty", tensor(six_floats, 6, {2, 0}, {5, 5})}})));
  CHECK(values_of(read, "transposed") == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(values_of(read, "column") == std::vector<float>{2, 5});
  CHECK(values_of(read, "empty").empty());
}

TEST_CASE("io: a checkpoint around a state dict is unwrapped, and so are module prefixes") {
  const std::string a = tensor(six_floats, 0, {6}, {1}), b = tensor(six_floats, 1, {1}, {1});
  CHECK(parse(pth(dict({{"epoch", integer(3)}, {"state_dict", dict({{"module.a", a}})}})))
            .tensors[0]
            .first == "a");
  CHECK(parse(pth(dict({{"model", dict({{"a", a}})}, {"state_dict_ema", dict({{"ema", b}})}})))
            .tensors[0]
            .first == "ema");
  const state_dict mixed = parse(pth(dict({{"module.a", a}, {"b", b}, {"version", integer(1)}})));
  REQUIRE(mixed.tensors.size() == 2);
  CHECK(mixed.tensors[0].first == "module.a");  // not every name has the prefix
}

TEST_CASE("io: a pickle that wants to run something is refused by its name") {
  const auto evil = [](const std::string& code) { return pth(dict({{"a", code}})); };
  check_refused(evil(global("os", "system") + "(" + text("true") + "tR"), "'os.system'");
  check_refused(evil(global("builtins", "eval") + "(" + text("1") + "tR"), "'builtins.eval'");
  check_refused(evil(text("os") + text("system") + "\x93"), "'os.system'");
  check_refused(evil(global("torch", "Tensor")), "'torch.Tensor'");
  check_refused(evil(global("torch", "FloatStorage") + ")R"), "a call of 'torch.FloatStorage'");
  check_refused(evil(integer(1) + ")R"), "a call of what is no known class");
  check_refused(evil("(i__main__\nx\n"), "pickle instruction 105");
  check_refused(evil(tensor(six_floats, 0, {6}, {1}) + dict({}) + "b"), "an object with own state");
  check_refused(evil(text("somewhere") + "Q"), "an object from outside");
}

TEST_CASE("io: a malformed pickle is refused") {
  for (const auto& [code, because] : std::vector<std::pair<std::string, const char*>>{
           {"", "it leaves no single value"},
           {"0", "its stack is empty"},
           {"NN", "it leaves no single value"},
           {"(N", "it leaves no single value"},
           {"t", "a mark is missing"},
           {"\x86", "its stack is empty"},
           {"(N\x86", "its stack is empty"},
           {"N(a", "its stack is empty"},
           {"NNa", "no list to append to"},
           {"](NNu", "an item for what is no dict"},
           {"}(Nu", "a key without a value"},
           {"h\x05", "an unknown memo index"},
           {"Nr\xff\xff\xff\x7f", "a memo index out of range"},
           {"X\xff\xff\xff\xff", "it ends too early"},
           {"\x8d\xff\xff\xff\xff\xff\xff\xff\xff", "it ends too early"},
           {"cabc", "it ends too early"},
           {"\x80\x09", "protocol 9"}})
    check_refused(pth(code), because);
  check_refused(pth(std::string(1'000'000, '}')), "more values than a state dict has");
  check_refused(pth(std::string(2'000'000, '(')), "nested");
  check_refused(pth("N" + std::string(2'000'000, '2')), "a stack of a million");
  CHECK_NOTHROW(
      parse(pth("}q" + std::string(1, '\0') + "(" + text("self") + "h" + std::string(1, '\0') +
                text("a") + tensor(six_floats, 0, {6}, {1}) + "u")));  // a dict that holds itself
}

TEST_CASE("io: a .pth whose tensors lie about their storage is refused") {
  const auto with = [](const std::string& stored, int offset, const std::vector<int>& shape,
                       const std::vector<int>& strides) {
    return pth(dict({{"a", tensor(stored, offset, shape, strides)}}));
  };
  check_refused(with(six_floats, 0, {7}, {1}), "reaches beyond its storage of 6");
  check_refused(with(six_floats, 4, {3}, {1}), "reaches beyond");
  check_refused(with(six_floats, 7, {}, {}), "begins beyond its storage");
  check_refused(with(six_floats, -1, {1}, {1}), "an offset that is no number");
  check_refused(with(six_floats, 0, {-1}, {1}), "no number from 0");
  check_refused(with(six_floats, 0, {2, 2}, {1}), "as many extents as strides");
  check_refused(with(six_floats, 0, {2147483647, 2147483647}, {2147483647, 2147483647}), "beyond");
  check_refused(with(six_floats, 0, {2147483647, 2147483647}, {0, 0}), "repeats its elements");
  check_refused(with(storage("FloatStorage", "0", 7), 0, {7}, {1}), "has a storage of 24 bytes");
  check_refused(with(storage("FloatStorage", "x", 6), 0, {6}, {1}), "storage 'x' nowhere");
  check_refused(with(storage("ComplexFloatStorage", "0", 3), 0, {3}, {1}), "ComplexFloatStorage");
  check_refused(with(storage("device", "0", 3), 0, {3}, {1}), "is stored as 'torch.device'");
}

TEST_CASE("io: a damaged or foreign zip is refused") {
  const std::string code = dict({{"a", tensor(six_floats, 0, {6}, {1})}});
  check_refused(pth(code, {.method = 8}), "is compressed");
  check_refused(pth(code, {.flags = 1}), "is encrypted");
  check_refused(zip({{"readme", ""}}), "without data.pkl");
  check_refused(zip({{"a/data.pkl", ""}, {"b/data.pkl", ""}}), "several data.pkl");
  check_refused(zip({{"a", ""}, {"a", ""}}), "'a' is there twice");
  check_refused(zip({{"a/data.pkl", pickle(code)}, {"a/data/0", six}, {"a/byteorder", "big"}}),
                "big-endian");
  check_refused(pth(integer(3)), "holds no dict of tensors");
  check_refused(pth(dict({{"epoch", integer(3)}})), "holds no tensors by name");
  const std::string whole = pth(code);
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_THROWS_AS(parse(std::string_view(whole).substr(0, length)), file_error);
}

TEST_CASE("io: the kind of a weight file is told from its content") {
  const temporary_folder folder;
  const auto read = [&](const std::string& bytes) {
    write_bytes(folder / "w.bin", bytes);
    return read_state_dict(folder / "w.bin");
  };
  CHECK(read(pth(dict({{"a", tensor(six_floats, 0, {6}, {1})}}))).tensors.size() == 1);
  CHECK(read(little_endian(std::uint64_t{2}) + "{}").tensors.empty());
  CHECK(read(little_endian(std::uint64_t{0x280}) + "{}" + std::string(0x280 - 2, ' '))
            .tensors.empty());  // a length that looks like the start of a pickle
  CHECK_THROWS_WITH_AS(read(""), doctest::Contains("is empty"), file_error);
  CHECK_THROWS_WITH_AS(read("version https://git-lfs.github.com/spec/v1\n"),
                       doctest::Contains("git-lfs pointer"), file_error);
  CHECK_THROWS_WITH_AS(read(pickle("N")), doctest::Contains("torch.save did not write"),
                       file_error);
  CHECK_THROWS_WITH_AS(read("<html>not found</html>"), doctest::Contains("no safetensors file"),
                       file_error);
}
