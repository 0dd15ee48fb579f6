#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include <effnet/data/random_draws.hpp>

using namespace effnet;

namespace {

random_draws draws_of(std::uint64_t sample) {
  return {1, 2, sample, draw_purpose::augment};
}

struct moments {
  double mean = 0, variance = 0;
};

/// Of one draw from each of many samples' streams: what matters is that streams are independent.
template <class Draw>
moments moments_of(Draw draw, int count = 200'000) {
  double sum = 0, squares = 0;
  for (int i = 0; i < count; ++i) {
    random_draws draws = draws_of(static_cast<std::uint64_t>(i));
    const double value = draw(draws);
    sum += value;
    squares += value * value;
  }
  const double mean = sum / count;
  return {mean, squares / count - mean * mean};
}

}  // namespace

TEST_CASE("data: uniform and normal numbers have their moments") {
  const moments flat = moments_of([](random_draws& d) { return d.uniform(); });
  CHECK(flat.mean == doctest::Approx(0.5).epsilon(0.005));
  CHECK(flat.variance == doctest::Approx(1 / 12.0).epsilon(0.01));
  const moments stretched = moments_of([](random_draws& d) { return d.uniform(-3, 5); });
  CHECK(stretched.mean == doctest::Approx(1).epsilon(0.02));
  const moments bell = moments_of([](random_draws& d) { return d.normal(); });
  CHECK(std::abs(bell.mean) < 0.01);
  CHECK(bell.variance == doctest::Approx(1).epsilon(0.01));
}

TEST_CASE("data: gamma and beta numbers have their moments") {
  for (double shape : {0.2, 0.5, 1.0, 3.5}) {
    CAPTURE(shape);
    const moments of_gamma = moments_of([&](random_draws& d) { return d.gamma(shape); });
    CHECK(of_gamma.mean == doctest::Approx(shape).epsilon(0.02));
    CHECK(of_gamma.variance == doctest::Approx(shape).epsilon(0.05));
    const moments of_beta = moments_of([&](random_draws& d) { return d.beta(shape, shape); });
    CHECK(of_beta.mean == doctest::Approx(0.5).epsilon(0.01));
    CHECK(of_beta.variance == doctest::Approx(0.25 / (2 * shape + 1)).epsilon(0.02));
  }
  const moments skewed = moments_of([](random_draws& d) { return d.beta(2, 6); });
  CHECK(skewed.mean == doctest::Approx(0.25).epsilon(0.01));
}

TEST_CASE("data: beta numbers of tiny shapes are 0 or 1 and never undefined") {
  double sum = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const double value = draws_of(i).beta(1e-6, 1e-6);
    REQUIRE(value >= 0);
    REQUIRE(value <= 1);
    sum += value;
  }
  CHECK(sum / 2000 == doctest::Approx(0.5).epsilon(0.1));
}

TEST_CASE("data: integers fill their range evenly") {
  std::array<int, 16> count{};
  for (std::uint64_t i = 0; i < 160'000; ++i)
    ++count[static_cast<std::size_t>(draws_of(i).integer(-3, 13) + 3)];
  double chi_squared = 0;
  for (int c : count) chi_squared += (c - 10'000.0) * (c - 10'000.0) / 10'000;
  CHECK(chi_squared < 37.7);  // 15 degrees of freedom: exceeded by one in a thousand
  random_draws draws = draws_of(0);
  CHECK(draws.integer(5, 6) == 5);
  CHECK(draws.integer(INT64_MIN, INT64_MAX) != draws.integer(INT64_MIN, INT64_MAX));
  CHECK_THROWS_AS(draws.integer(5, 5), error);
}

TEST_CASE("data: events happen as often as asked, never at 0, always at 1") {
  CHECK(moments_of([](random_draws& d) { return double(d.bernoulli(0.3)); }).mean ==
        doctest::Approx(0.3).epsilon(0.01));
  CHECK(moments_of([](random_draws& d) { return double(d.bernoulli(0)); }, 1000).mean == 0);
  CHECK(moments_of([](random_draws& d) { return double(d.bernoulli(1)); }, 1000).mean == 1);
}

TEST_CASE("data: numbers depend on what they are for and not on who asks first") {
  std::vector<double> forward(100), backward(100), threads(100);
  for (std::size_t i = 0; i < 100; ++i) forward[i] = draws_of(i).beta(0.2, 0.2);
  for (std::size_t i = 100; i-- > 0;) backward[i] = draws_of(i).beta(0.2, 0.2);
  std::vector<std::thread> workers;
  for (std::size_t t = 0; t < 4; ++t)
    workers.emplace_back([&, t] {
      for (std::size_t i = t; i < 100; i += 4) threads[i] = draws_of(i).beta(0.2, 0.2);
    });
  for (std::thread& worker : workers) worker.join();
  CHECK(forward == backward);
  CHECK(forward == threads);
}

TEST_CASE("data: seed, epoch, sample and purpose each give other numbers") {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed : {0u, 1u})
    for (std::uint64_t epoch : {0u, 1u})
      for (std::uint64_t sample : {0u, 1u})
        for (draw_purpose purpose : {draw_purpose::crop, draw_purpose::flip}) {
          random_draws draws(seed, epoch, sample, purpose);
          for (int i = 0; i < 10; ++i) seen.insert(draws.bits());
        }
  CHECK(seen.size() == 160);
}

TEST_CASE("data: what a seed means does not change") {
  random_draws draws(42, 3, 1234, draw_purpose::augment);
  CHECK(draws.bits() == 1798442739628415708u);
  CHECK(draws.bits() == 8040256931552726867u);
}

TEST_CASE("data: shapes that are not positive are refused") {
  random_draws draws = draws_of(0);
  for (double shape : {0.0, -1.0, std::nan("")}) {
    CHECK_THROWS_AS(draws.gamma(shape), error);
    CHECK_THROWS_AS(draws.beta(1, shape), error);
  }
}
