#include <doctest/doctest.h>

#include <effnet/arch/validate.hpp>
#include <effnet/search/nonuniform_scaling.hpp>
#include <effnet/v2.hpp>

TEST_CASE("search: non-uniform scaling caps the image size and deepens the last stages") {
  using namespace effnet;
  const nonuniform_scaling by;
  CHECK(nonuniform_scaled(v2_s, by, 0).stages == v2_s.stages);
  for (const double phi : {1.0, 2.5, 5.0}) {
    const network_spec scaled = nonuniform_scaled(v2_s, by, phi);
    const network_spec uniform = compound_scaled(v2_s, compound_scaling(by.constants, phi, 384));
    CHECK(first_violation(scaled).rule == spec_rule::none);
    CHECK(scaled.eval_size == std::min(480, uniform.eval_size));
    CHECK(scaled.train_size == std::lround(300.0 * scaled.eval_size / 384));
    for (std::size_t s = 0; s < 6; ++s) {
      CHECK(scaled.stages[s].out == uniform.stages[s].out);
      const int repeats = uniform.stages[s].repeats;
      CHECK((s < 4 ? scaled.stages[s].repeats == repeats : scaled.stages[s].repeats > repeats));
    }
  }
  // A network that is larger already does not shrink.
  network_spec large = v2_s;
  large.eval_size = 512;
  CHECK(nonuniform_scaled(large, by, 1).eval_size == 512);
  network_spec short_one = v2_s;
  short_one.stages = {mbconv{.repeats = 10, .in = 24, .out = 24}};
  CHECK(nonuniform_scaled(short_one, by, 1).stages[0].repeats == 13);  // 10 x 1.2 x 1.05
}

TEST_CASE("search: the largest network within a budget") {
  using namespace effnet;
  const nonuniform_scaling by;
  const auto within = [](std::int64_t most) {
    return [=](const network_spec& spec) { return count_parameters(spec) <= most; };
  };
  const auto [medium, phi] = largest_that_fits(v2_s, by, within(54'139'356));
  CHECK(phi > 0);
  CHECK(count_parameters(medium) <= 54'139'356);
  CHECK(count_parameters(nonuniform_scaled(v2_s, by, phi + 1.0 / 32)) > 54'139'356);
  const auto [same, none] = largest_that_fits(v2_s, by, within(1));
  CHECK(none == 0);
  CHECK(same.stages == v2_s.stages);
}
