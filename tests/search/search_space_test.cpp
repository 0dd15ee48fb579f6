#include <doctest/doctest.h>

#include <set>
#include <string>

#include <effnet/search/spaces.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

namespace {
using namespace effnet;

random_draws draws_for(std::uint64_t number) {
  return {1, 0, number, draw_purpose::search};
}

/// Four rows of two stages.
search_space small_space() {
  network_spec skeleton = v2_b0;
  skeleton.stages = {fused_mbconv{.in = 32, .out = 16},
                     mbconv{.repeats = 2, .in = 16, .out = 24, .se = 0.25f}};
  return search_space(skeleton, {{.ops = {{block_op::mbconv}, {block_op::fused_mbconv}},
                                  .repeats = {1},
                                  .kernels = {3, 5},
                                  .expands = {1, 4},
                                  .ses = {0, 0.25f}},
                                 {.ops = {{block_op::mbconv, 1}, {block_op::mbconv}},
                                  .repeats = {0, 2},
                                  .kernels = {3},
                                  .expands = {4, 6},
                                  .ses = {0.25f}}});
}
}  // namespace

TEST_CASE("search: a space counts and lists every different network once") {
  const search_space space = small_space();
  // MBConv: 2 kernels x 2 expansions x 2 ratios; Fused-MBConv without the ratio: 2 x 2. Then no
  // second stage, or one of expansion 1, 4 or 6.
  CHECK(space.count() == (8 + 4) * (1 + 3));
  std::set<candidate> seen;
  std::set<std::string> networks;
  space.for_each([&](const candidate& c) {
    CHECK(space.canonical(c) == c);
    seen.insert(c);
    const network_spec spec = space.decode(c);
    std::string text;
    for (const stage_spec& row : spec.stages)
      text += sentence(static_cast<int>(row.op), ' ', row.repeats, ' ', row.kernel, ' ', row.expand,
                       ' ', row.se, '|');
    networks.insert(text);
    CHECK(space.encode(spec) == c);
    return true;
  });
  CHECK(static_cast<double>(seen.size()) == space.count());
  CHECK(static_cast<double>(networks.size()) == space.count());

  std::size_t visited = 0;
  space.for_each([&](const candidate&) { return ++visited < 5; });
  CHECK(visited == 5);
}

TEST_CASE("search: drawn and mutated candidates are networks of the space") {
  for (const search_space& space : {v2_space(v2_s), mnasnet_space(b0), small_space()}) {
    CAPTURE(std::string_view(space.skeleton().name));
    for (std::uint64_t n = 0; n < 200; ++n) {
      random_draws draws = draws_for(n);
      const candidate drawn = space.sample(draws);
      const network_spec spec = space.decode(drawn);
      CHECK(first_violation(spec).rule == spec_rule::none);
      CHECK(space.encode(spec) == drawn);
      const candidate child = space.mutated(drawn, draws);
      CHECK(child != drawn);
      CHECK(space.decode(child) != spec);
      // One decision, and those that it makes matter or not.
      int changed = 0;
      for (std::size_t d = 0; d < child.size(); ++d)
        changed += child[d] != drawn[d] && space.matters(drawn, d) && space.matters(child, d);
      CHECK(changed <= 1);
      random_draws again = draws_for(n);
      CHECK(space.sample(again) == drawn);
    }
  }
}

TEST_CASE("search: the papers' networks are in the papers' spaces") {
  const search_space v2 = v2_space(v2_s), mnasnet = mnasnet_space(b0);
  CHECK(v2.decode(v2.encode(v2_s)).stages == v2_s.stages);
  CHECK(mnasnet.decode(mnasnet.encode(b0)).stages == b0.stages);
  CHECK_THROWS_AS(v2.encode(b0), spec_error);
  CHECK(mnasnet.count() > 1e13);
  // A stage of stride 1 may be left out, and the next one reads what is in front of it.
  candidate shorter = v2.encode(v2_s);
  for (std::size_t d = 0; d < shorter.size(); ++d)
    if (v2.decisions()[d].stage == 4 && v2.decisions()[d].what == stage_decision::repeats) {
      CHECK(v2.option_text(d, 0) == "0");
      shorter[d] = 0;
    }
  const network_spec without = v2.decode(shorter);
  CHECK(without.stages.size() == v2_s.stages.size() - 1);
  CHECK(without.stages.back().in == 128);
  CHECK(v2.canonical(shorter) == v2.encode(without));
}

TEST_CASE("search: spaces and candidates that are none are refused in a sentence") {
  const auto one_stage = [](const stage_choices& of, int stride = 2) {
    network_spec skeleton = v2_b0;
    skeleton.stages = {mbconv{.stride = stride, .in = 32, .out = 16}};
    return search_space(skeleton, {of});
  };
  stage_choices of{.ops = {{block_op::mbconv}},
                   .repeats = {1, 2},
                   .kernels = {3},
                   .expands = {1},
                   .ses = {0.25f}};
  const search_space space = one_stage(of);
  CHECK_THROWS_WITH_AS(space.decode({0, 0}),
                       "a candidate of this search space has 1 decisions, but this one has 2",
                       spec_error);
  CHECK_THROWS_WITH_AS(space.decode({2}), "decision 1 of a candidate is option 2; expected 0 to 1",
                       spec_error);
  of.repeats = {0, 1};
  CHECK_THROWS_WITH_AS(one_stage(of),
                       "stage 1 of a search space cannot have 0 repeats; expected 1 or more, as it "
                       "has stride 2",
                       spec_error);
  of.repeats = {1};
  CHECK_THROWS_WITH_AS(one_stage(of),
                       "a search space on 'efficientnetv2_b0' holds one network; give a stage more "
                       "than one option",
                       spec_error);
  of.kernels = {};
  CHECK_THROWS_WITH_AS(one_stage(of),
                       "stage 1 of a search space has no option for 'kernel'; give at least one",
                       spec_error);
  of.kernels = {3, 4};
  CHECK_THROWS_AS(one_stage(of), spec_error);
  of.kernels = {3, 5, 3};
  CHECK_THROWS_WITH_AS(one_stage(of), "stage 1 of a search space has an option for 'kernel' twice",
                       spec_error);
  of.kernels = {3};
  of.ops = {{block_op::mbconv, 1}, {block_op::mbconv}};
  CHECK_THROWS_WITH_AS(one_stage(of),
                       "stage 1 of a search space has mbconv x1 twice: as an op and by the "
                       "decision 'expand'",
                       spec_error);
  of.ops = {{block_op::mbconv}, {block_op::bottleneck}};
  CHECK_THROWS_AS(one_stage(of), spec_error);
  of.ops = {{block_op::mbconv}};
  of.widths = {1, -1};
  CHECK_THROWS_WITH_AS(one_stage(of),
                       "stage 1 of a search space has a width of -1; expected more than 0 and at "
                       "most 64",
                       spec_error);
  CHECK_THROWS_AS(search_space(v2_b0, {}), spec_error);
}
