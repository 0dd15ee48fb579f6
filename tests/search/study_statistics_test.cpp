#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <effnet/search.hpp>
#include <effnet/v2.hpp>

// What is said about searches: fits, fronts, shares, bars.
namespace {
using namespace effnet;
}  // namespace

TEST_CASE("search: a line is fitted by relative errors") {
  const line exact = fitted_line({1, 2, 5}, {5, 7, 13});
  CHECK(exact.offset == doctest::Approx(3));
  CHECK(exact.factor == doctest::Approx(2));
  CHECK(exact.at(10) == doctest::Approx(23));
  // Without an offset: the factor between 2 and 3 that misses both by as little as can be.
  const line flat = fitted_line({1, 1}, {2, 3});
  CHECK(flat.offset == 0);
  CHECK(flat.factor == doctest::Approx((1 / 2.0 + 1 / 3.0) / (1 / 4.0 + 1 / 9.0)));
  CHECK(fitted_line({}, {}).at(4) == 4);
  // Of a large and a small value that cannot both be met, the small one weighs more.
  const line weighed = fitted_line({1, 1, 100, 100}, {1, 1.1, 100, 60});
  CHECK(std::abs(weighed.at(1) - 1.05) < 0.02);
  // An offset below 0 would make the time of a small network negative.
  const line through = fitted_line({2, 3}, {1, 3});
  CHECK(through.offset == 0);
  CHECK(through.at(0.01) > 0);
}

TEST_CASE("search: a run is given up below the median of the means of others") {
  const median_stopping rule{.least_runs = 3};
  const std::vector<std::vector<double>> curves = {{0.1, 0.3, 0.5}, {0.2, 0.4, 0.9}, {0.3, 0.1}};
  const std::vector<double> bars = rule.bars(curves, 4);
  CHECK(bars[0] == doctest::Approx(0.2));
  CHECK(bars[1] == doctest::Approx(0.2));  // of means 0.2, 0.3, 0.2
  CHECK(bars[2] == 0);                     // two runs only got that far
  CHECK(bars[3] == 0);                     // the end
  CHECK(median_stopping{.least_runs = 2}.bars(curves, 4)[2] == doctest::Approx((0.3 + 0.5) / 2));
  CHECK(rule.bars({}, 2) == std::vector<double>{0, 0});
}

TEST_CASE("search: a front holds what nothing beats, each once") {
  const auto network = [](double accuracy, double step, double parameters) {
    return candidate_measures{.accuracy = accuracy, .step_seconds = step, .parameters = parameters};
  };
  CHECK(pareto_front({network(0.5, 2, 10), network(0.6, 3, 10), network(0.5, 3, 10),
                      network(0.6, 3, 10), network(0.4, 2, 5), network(0.4, 2, 6)}) ==
        std::vector<std::size_t>{0, 1, 4});
  CHECK(pareto_front({}).empty());
}

TEST_CASE("search: options count where they change the network") {
  network_spec skeleton = v2_b0;
  skeleton.stages = {fused_mbconv{.in = 32, .out = 16}, mbconv{.in = 16, .out = 24}};
  const search_space space(
      skeleton,
      {{.ops = {{block_op::mbconv}}, .repeats = {1}, .kernels = {3, 5}, .expands = {4}, .ses = {0}},
       {.ops = {{block_op::mbconv}},
        .repeats = {0, 1},
        .kernels = {3, 5},
        .expands = {4},
        .ses = {0}}});
  const auto shares = option_shares(space, {{0, 1, 1}, {1, 1, 0}, {1, 0, 0}, {1, 1, 1}});
  CHECK(shares[0] == std::vector<double>{0.25, 0.75});
  CHECK(shares[1] == std::vector<double>{0.25, 0.75});
  // The kernel of a stage that is left out is none.
  CHECK(shares[2][0] == doctest::Approx(1 / 3.0));
  CHECK(shares[2][1] == doctest::Approx(2 / 3.0));
  CHECK(option_shares(space, {})[0] == std::vector<double>{0, 0});
}

TEST_CASE("search: mean and standard error") {
  const mean_and_error of({1, 2, 3, 6});
  CHECK(of.mean == 3);
  CHECK(of.error == doctest::Approx(std::sqrt(14 / 3.0 / 4)));
  CHECK(mean_and_error({5}).error == 0);
  CHECK(mean_and_error({}).mean == 0);
}

TEST_CASE("search: a surrogate learns what options are worth, and says how well") {
  const search_space space = v2_space(v2_b0);
  std::vector<candidate> examples;
  std::vector<double> accuracies;
  const auto truth = [&](const candidate& c) {  // a sum over options, but for some noise
    double sum = 0.5;
    for (std::size_t d = 0; d < c.size(); ++d)
      if (space.matters(c, d)) sum += 0.01 * std::sin(static_cast<double>(7 * d) + c[d]);
    return sum;
  };
  for (std::uint64_t n = 0; n < 250; ++n) {
    random_draws draws(3, 0, n, draw_purpose::search);
    examples.push_back(space.sample(draws));
    accuracies.push_back(truth(examples.back()) + draws.uniform(-0.001, 0.001));
  }
  const accuracy_surrogate guess(space, examples, accuracies, 0.1);
  std::vector<double> guessed, actual;
  for (std::uint64_t n = 1000; n < 1100; ++n) {
    random_draws draws(3, 0, n, draw_purpose::search);
    const candidate c = space.sample(draws);
    guessed.push_back(guess.of(c)), actual.push_back(truth(c));
  }
  CHECK(error_of(guessed, actual).spearman > 0.98);
  CHECK(error_of(guess.left_out(), accuracies).spearman > 0.95);
  // Left out for real, as the formula says. (It keeps the middle of the options, which moves by a
  // hair with one example less.)
  std::vector<candidate> fewer(examples.begin() + 1, examples.begin() + 60);
  std::vector<double> their(accuracies.begin() + 1, accuracies.begin() + 60);
  std::vector<candidate> all(examples.begin(), examples.begin() + 60);
  std::vector<double> of_all(accuracies.begin(), accuracies.begin() + 60);
  const double without = accuracy_surrogate(space, fewer, their).of(examples[0]);
  CHECK(accuracy_surrogate(space, all, of_all).left_out()[0] ==
        doctest::Approx(without).epsilon(2e-3));
  CHECK_THROWS_WITH_AS(accuracy_surrogate(space, {examples[0]}, {0.5}),
                       "a surrogate needs two trained candidates at least, but has 1 with 1 "
                       "accuracies",
                       error);
}

TEST_CASE("search: rounds are evaluated together and numbered on") {
  const search_space space = v2_space(v2_b0);
  std::vector<candidate> one_by_one, in_rounds;
  std::vector<std::size_t> firsts;
  random_search alone(space, 3), several(space, 3, 4);
  for (const search_trial& t : run_search(alone, 10, [](const candidate&) { return 1.0; }))
    one_by_one.push_back(t.of);
  search_in_rounds(several, 10, [&](std::size_t first, const std::vector<candidate>& round) {
    firsts.push_back(first);
    in_rounds.insert(in_rounds.end(), round.begin(), round.end());
    return std::vector<double>(round.size(), 1.0);
  });
  CHECK(firsts == std::vector<std::size_t>{0, 4, 8});
  CHECK(in_rounds == one_by_one);
  // Of the same seed to twice as many trials: the first ten are the same.
  random_search longer(space, 3, 4);
  std::vector<candidate> more;
  for (const search_trial& t : run_search(longer, 20, [](const candidate&) { return 1.0; }))
    more.push_back(t.of);
  more.resize(10);
  CHECK(more == one_by_one);
}

TEST_CASE("search: networks of one operator get the parameters that are asked for") {
  const std::int64_t wanted = count_parameters(v2_b0);
  for (const block_op op : {block_op::mbconv, block_op::fused_mbconv}) {
    const network_spec of_one = of_parameters(with_op(v2_b0, op), wanted);
    for (const stage_spec& row : of_one.stages) CHECK(row.op == op);
    const double off = static_cast<double>(count_parameters(of_one) - wanted);
    CHECK(std::abs(off) < 0.04 * static_cast<double>(wanted));
    CHECK(of_one.eval_size == v2_b0.eval_size);
  }
  CHECK(with_op(v2_b0, block_op::fused_mbconv).stages.back().se == 0);
  CHECK(of_parameters(v2_b0, wanted) == v2_b0);
}

TEST_CASE("search: a grid of compound constants doubles FLOPs") {
  const std::vector<compound_constants> grid = scaling_grid(0.2);
  CHECK(grid.size() == 15);
  for (const compound_constants& at : grid) {
    CHECK(at.flops_ratio() == doctest::Approx(2));
    CHECK((at.alpha >= 1 && at.beta >= 1 && at.gamma >= 1));
  }
  CHECK(grid[0].alpha == 2);
  CHECK(grid[1].beta == doctest::Approx(std::sqrt(2)));
  CHECK(grid[2].gamma == doctest::Approx(std::sqrt(2)));
  CHECK(scaling_grid(0.1).size() > 2 * grid.size());
  CHECK_THROWS_WITH_AS(scaling_grid(0),
                       "a grid of compound constants has steps of 0.01 to 1, not 0", error);
}
