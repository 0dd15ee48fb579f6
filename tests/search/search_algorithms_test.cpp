#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <effnet/search.hpp>
#include <effnet/v2.hpp>

#include "../worse.hpp"

// Algorithms on a reward whose best candidate is known.
namespace {
using namespace effnet;
static_assert(search_algorithm<random_search> && search_algorithm<evolution> &&
              search_algorithm<reinforcement>);

template <class Algorithm>
std::vector<search_trial> trials_of(Algorithm algorithm, const planted_reward& reward,
                                    std::size_t trials) {
  return run_search(algorithm, trials, [&](const candidate& c) { return reward.of(c); });
}
template <class Algorithm>
double best_of(Algorithm algorithm, const planted_reward& reward, std::size_t trials) {
  double best = 0;
  for (const search_trial& t : trials_of(std::move(algorithm), reward, trials))
    best = std::max(best, t.reward);
  return best;
}
}  // namespace

TEST_CASE("search: a planted reward is largest at its best candidate alone") {
  network_spec skeleton = v2_b0;
  skeleton.stages = {fused_mbconv{.in = 32, .out = 16},
                     mbconv{.repeats = 2, .in = 16, .out = 24, .se = 0.25f}};
  const search_space space = v2_space(skeleton);
  const planted_reward reward(space, 7);
  CHECK(reward.of(reward.best()) == 1);
  space.for_each([&](const candidate& c) {
    CHECK((reward.of(c) < 1) == (c != reward.best()));
    return true;
  });
}

TEST_CASE("search: evolution and reinforcement learning find more than chance does") {
  const search_space space = v2_space(v2_b0);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const planted_reward reward(space, seed);
    const double by_chance = best_of(random_search(space, seed), reward, 600);
    CHECK(best_of(evolution(space, seed), reward, 600) > by_chance);
    CHECK(best_of(reinforcement(space, seed, {.hidden = 32}), reward, 600) > by_chance);
  }
}

TEST_CASE("search: the same seed makes the same trials, another one others") {
  const search_space space = v2_space(v2_b0);
  const planted_reward reward(space, 1);
  const auto check = [&](auto make) {
    const auto first = trials_of(make(5), reward, 130), again = trials_of(make(5), reward, 130);
    const auto other = trials_of(make(6), reward, 130);
    bool differs = false;
    for (std::size_t i = 0; i < first.size(); ++i) {
      CHECK(first[i].of == again[i].of);
      differs = differs || first[i].of != other[i].of;
    }
    CHECK(differs);
  };
  check([&](std::uint64_t seed) { return random_search(space, seed); });
  check([&](std::uint64_t seed) { return evolution(space, seed); });
  check([&](std::uint64_t seed) { return reinforcement(space, seed, {.hidden = 16}); });
}

TEST_CASE("search: the policy's gradient is that of finite differences, its entropy's too") {
  using vector = lstm_policy<double>::vector;
  const std::vector<int> options = {3, 2, 4};
  lstm_policy<double> policy(options, 5);
  random_draws draws(3, 0, 0, draw_purpose::search);
  for (double& x : policy.parameters()) x = draws.uniform(-1, 1);
  std::vector<candidate> all;
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 2; ++b)
      for (int c = 0; c < 4; ++c) all.push_back({a, b, c});
  CHECK(policy.log_probabilities(all).array().exp().sum() == doctest::Approx(1));

  const std::vector<candidate> taken = {{0, 1, 3}, {2, 0, 0}};
  const vector weights = (vector(2) << 0.7, -1.3).finished();
  constexpr double by = 0.4;
  // The entropy of decision t behind the options before it, from probabilities of whole candidates.
  const auto value = [&] {
    const vector p = policy.log_probabilities(all).array().exp();
    double sum = weights.dot(policy.log_probabilities(taken));
    for (const candidate& c : taken)
      for (std::size_t t = 0; t < options.size(); ++t) {
        vector share = vector::Zero(options[t]);
        for (std::size_t i = 0; i < all.size(); ++i)
          if (std::equal(c.begin(), c.begin() + static_cast<std::ptrdiff_t>(t), all[i].begin()))
            share[all[i][t]] += p[static_cast<Eigen::Index>(i)];
        share /= share.sum();
        sum -= by * share.dot(share.array().log().matrix());
      }
    return sum;
  };
  const vector gradient = policy.gradient(taken, by, [&](const vector&) { return weights; });
  double worst = 0;
  for (Eigen::Index i = 0; i < gradient.size(); ++i) {
    constexpr double step = 1e-5;
    double& x = policy.parameters()[i];
    const double before = x;
    x = before + step;
    const double above = value();
    x = before - step;
    const double below = value();
    x = before;
    worst = testing::worse(worst, std::abs((above - below) / (2 * step) - gradient[i]));
  }
  CHECK(worst < 1e-8);
  CHECK(gradient.norm() > 0.1);
}
