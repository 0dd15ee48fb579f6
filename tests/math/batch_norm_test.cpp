#include <doctest/doctest.h>

#include <effnet/math/batch_norm.hpp>

using namespace effnet;

TEST_CASE("math: a batch moves the running statistics by either library's rule") {
  const float mean = 3, variance = 3.5f;  // of 1, 2, 3, 6; unbiased 14 / 3
  float running_mean = 1, running_var = 1;
  math::move_statistics(&mean, &variance, 1, 1, 0.1f, &running_mean, &running_var);
  CHECK(running_mean == doctest::Approx(1.2f));
  CHECK(running_var == doctest::Approx(1.25f));
  running_var = 1;
  math::move_statistics(&mean, &variance, math::unbiased_correction(4), 1, 0.1f, &running_mean,
                        &running_var);
  CHECK(running_var == doctest::Approx(0.9 + 0.1 * 14 / 3));
  CHECK(math::unbiased_correction(1) == 1);  // one number: nothing to divide by
}

TEST_CASE("math: batch norm's factors are those of its formula") {
  const float mean[] = {3, 0}, variance[] = {3.75f, 0}, weight[] = {2, 1}, bias[] = {1, 5};
  float rows[8];
  math::fill_norm_constants(mean, variance, weight, bias, 0.25f, 2, rows);
  const float expected[] = {3, 0, 0.5f, 2, 1, 2, -2, 5};
  for (int i = 0; i < 8; ++i) CHECK(rows[i] == expected[i]);
}
