#include <doctest/doctest.h>

#include <string>

#include <effnet/arch/models.hpp>
#include <effnet/io/spec_table.hpp>

#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

void check_refused(const std::string& text, const char* because) {
  CAPTURE(because);
  CHECK_THROWS_WITH_AS(spec_from_json(text, "t.json"), doctest::Contains(because), spec_error);
}

/// A table with one stage that has `keys` beside its operator and output.
std::string with_stage(const std::string& keys) {
  return R"({"stages":[{"op":"mbconv","out":16,)" + keys + "}]}";
}
std::string with_key(const std::string& key) {
  return "{" + key + R"(,"stages":[{"op":"mbconv","out":16}]})";
}

}  // namespace

TEST_CASE("io: every network is the same after writing and reading its table") {
  const temporary_folder folder;
  for (const network_spec* spec : models) {
    CAPTURE(std::string(std::string_view(spec->name)));
    write_spec(folder / "t.json", *spec);
    CHECK(read_spec(folder / "t.json") == *spec);
  }
  network_spec odd = with_in_channels(with_classes(b0, 7), 1);
  odd.dropout = 0.1f, odd.survival = 0.3333333f, odd.stages[3].se = 1 / 3.0f;
  CHECK(spec_from_json(spec_to_json(odd)) == odd);
}

TEST_CASE("io: what a table leaves out follows from the defaults and the stage before") {
  const network_spec spec = spec_from_json(R"({"stem":24,"stages":[{"op":"fused_mbconv","out":24},
                         {"op":"mbconv","out":40,"repeats":2,"stride":2,"expand":4,"se":0.25}]})");
  CHECK(spec.classes == 1000);
  CHECK(spec.act == activation::silu);
  CHECK(spec.stages[1].in == 24);
  CHECK(spec.stages[1].kernel == 3);
}

TEST_CASE("io: a table with mistakes is refused with stage and key") {
  check_refused("", "line 1, column 1");
  check_refused("{\n \"stem\": ,}", "line 2, column 10");
  check_refused("[]", "is no JSON object");
  check_refused("{}", "lacks \"stages\"");
  check_refused(R"({"stages":{}})", "\"stages\" is 'object', expected an array");
  check_refused(R"({"stages":[]})", "has no stages");
  check_refused(R"({"stages":[3]})", "stage 1 is no JSON object");
  check_refused(R"({"stages":[{"out":16}]})", "stage 1 lacks \"op\"");
  check_refused(R"({"stages":[{"op":"mbconv"}]})", "stage 1 lacks \"out\"");
  check_refused(R"({"stages":[{"op":"mbcnov","out":8}]})", "expected \"mbconv\" or");
  check_refused(with_stage(R"("kernal":3)"), "stage 1 has an unknown key 'kernal'");
  check_refused(with_key(R"("steem":3)"), "has an unknown key 'steem'; known are name");
  check_refused(with_key(R"("stem":8,"stem":8)"), "the key 'stem' twice");
  check_refused(with_stage(R"("repeats":0)"), "\"repeats\" is '0', expected a whole number from 1");
  check_refused(with_stage(R"("repeats":1001)"), "to 1000");
  check_refused(with_stage(R"("repeats":1.0)"), "a whole number");
  check_refused(with_stage(R"("repeats":"1")"), "a whole number");
  check_refused(with_stage(R"("repeats":18446744073709551615)"), "a whole number");
  check_refused(with_stage(R"("repeats":-9223372036854775808)"), "a whole number");
  check_refused(with_stage(R"("kernel":4)"), "kernel 4 is even");
  check_refused(with_stage(R"("kernel":13)"), "from 1 to 11");
  check_refused(with_stage(R"("stride":3)"), "from 1 to 2");
  check_refused(with_stage(R"("in":8)"), "reads 8 channels, but the stem puts out 32");
  check_refused(with_stage(R"("se":2)"), "a number from 0 to 1");
  check_refused(with_stage(R"("se":1e999)"), "out of range");
  check_refused(with_stage(R"("se":null)"), "\"se\" is 'null'");
  check_refused(with_key(R"("name":"")"), "printable characters");
  check_refused(with_key("\"name\":\"" + std::string(64, 'x') + "\""), "printable characters");
  check_refused(with_key(R"("name":"a\u0007b")"), "printable characters");
  check_refused(with_key("\"name\":\"\xff\""), "is not JSON");
  check_refused(with_key(R"("stem_pool":1)"), "true or false");
  check_refused(with_key(R"("activation":"tanh")"), "\"silu\" or \"relu\" or \"relu6\"");
  check_refused(R"({"stages":[{"op":"bottleneck","out":18}]})", "divisible by 'expand'");
}

TEST_CASE("io: hostile tables are refused before they cost anything") {
  check_refused(std::string(100'000, '['), "nests deeper");
  std::string nested;
  for (int i = 0; i < 50'000; ++i) nested += "{\"a\":";
  check_refused(nested, "nests deeper");
  check_refused(std::string(2 << 20, ' '), "a network's table has at most");
  std::string rows = R"({"stages":[)";
  for (int i = 0; i < stage_list::capacity + 1; ++i)
    rows += std::string(i > 0 ? "," : "") + R"({"op":"mbconv","out":32})";
  check_refused(rows + "]}", "has 17 stages, at most 16");
}
