#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include <effnet/data/hold_out.hpp>
#include <effnet/data/shapes.hpp>

using namespace effnet;

namespace {

/// A set of names.
struct named_set {
  std::vector<std::string> names;
  std::vector<int> labels;
  std::vector<std::string> class_names{"a", "b", "c"};

  std::size_t count() const { return names.size(); }
  const std::vector<std::string>& classes() const { return class_names; }
  int label(std::size_t i) const { return labels[i]; }
  effnet::image image(std::size_t) const { return make_image(1, 1); }
  std::string name(std::size_t i) const { return names[i]; }

  void add(int label, int count) {
    for (int i = 0; i < count; ++i) {
      names.push_back(sentence("class ", label, '/', i, ".jpg"));
      labels.push_back(label);
    }
  }
  std::set<std::string> held_out() const {
    std::set<std::string> held;
    for (std::size_t i : hold_out_tenth(*this).held_out) held.insert(names[i]);
    return held;
  }
};

}  // namespace

TEST_CASE("data: a tenth of every class is held out, at least one of two") {
  named_set set;
  set.add(0, 130);
  set.add(1, 2);
  set.add(2, 1);
  const split made = hold_out_tenth(set);
  int held[3] = {};
  for (std::size_t i : made.held_out) ++held[set.labels[i]];
  CHECK(held[0] == 13);
  CHECK(held[1] == 1);
  CHECK(held[2] == 0);
  CHECK(std::ranges::is_sorted(made.train));
  CHECK(std::ranges::is_sorted(made.held_out));
  std::set<std::size_t> all(made.train.begin(), made.train.end());
  all.insert(made.held_out.begin(), made.held_out.end());
  CHECK(all.size() == 133);
  CHECK(made.train.size() + made.held_out.size() == 133);
}

TEST_CASE("data: what is held out depends on names and not on their order") {
  named_set set;
  set.add(0, 100);
  set.add(1, 50);
  const std::set<std::string> held = set.held_out();
  std::ranges::reverse(set.names);
  std::ranges::reverse(set.labels);
  CHECK(set.held_out() == held);
  CHECK(detail::name_hash("rose/1.jpg") == 8259596594010509293u);  // here as on any other machine
}

TEST_CASE("data: a few pictures more change little of what is held out") {
  named_set before, after;
  before.add(0, 100);
  after.add(0, 104);
  const std::set<std::string> first = before.held_out(), second = after.held_out();
  CHECK(std::ranges::count_if(first, [&](const auto& name) { return second.contains(name); }) >= 7);
}

TEST_CASE("data: without two pictures of a class nothing can be held out") {
  named_set set;
  set.add(0, 1);
  set.add(1, 1);
  CHECK_THROWS_WITH_AS(hold_out_tenth(set), doctest::Contains("no tenth of 2 pictures"), error);
}

TEST_CASE("data: a subset shows the samples of its set") {
  const shapes whole(200, 4, 16);
  const split made = hold_out_tenth(whole);
  const subset held(whole, made.held_out);
  static_assert(data_set<subset<shapes>>);
  REQUIRE(held.count() == 20);
  CHECK(class_counts(held) == std::vector<std::size_t>(10, 2));
  for (std::size_t i = 0; i < held.count(); ++i) {
    CHECK(held.label(i) == whole.label(made.held_out[i]));
    CHECK(held.image(i) == whole.image(held.index(i)));
    CHECK(held.name(i) == whole.name(made.held_out[i]));
  }
}
