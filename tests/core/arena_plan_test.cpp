#include <doctest/doctest.h>

#include <effnet/core/arena_plan.hpp>

using namespace effnet;

TEST_CASE("core: buffers whose lives overlap do not share memory, others do") {
  arena_plan plan;
  const std::size_t a = plan.acquire(100), b = plan.acquire(200), c = plan.acquire(64);
  CHECK(a == 0);
  CHECK(b == 128);
  CHECK(c == 128 + 256);
  plan.release(b);
  CHECK(plan.acquire(256) == 128);  // fits exactly
  plan.release(a);
  CHECK(plan.acquire(65) == 0);
  CHECK(plan.peak() == 128 + 256 + 64);
  CHECK(plan.acquire(0) == 448);  // even nothing has a place of its own
}
