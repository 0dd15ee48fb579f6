#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <effnet/data/picture_cache.hpp>

#include "pictures.hpp"

using namespace effnet;
using effnet::testing::noise_picture;

namespace {

/// Pictures of 3000 bytes.
image numbered(std::size_t number) {
  return noise_picture(50, 20, number);
}

}  // namespace

TEST_CASE("data: a cache gives back what it keeps, by sample and reduction") {
  picture_cache cache(1 << 20, 10);
  CHECK(cache.find(3, 1) == nullptr);
  const auto kept = cache.keep(3, 1, numbered(3));
  CHECK(*kept == numbered(3));
  CHECK(cache.find(3, 1) == kept);
  CHECK(cache.find(3, 2) == nullptr);
  CHECK(cache.find(4, 1) == nullptr);
  CHECK(cache.keep(3, 1, numbered(3)) == kept);  // a second one is not kept twice
  CHECK(cache.used() > 3000);
  CHECK(cache.used() < 4000);
  CHECK(cache.hits() == 1);
}

TEST_CASE("data: a cache does not outgrow its budget, and what is in stays") {
  picture_cache cache(10'000, 100);
  for (std::size_t i = 0; i < 100; ++i) CHECK(*cache.keep(i, 1, numbered(i)) == numbered(i));
  CHECK(cache.used() <= 10'000);
  for (std::size_t i = 0; i < 100; ++i) CHECK((cache.find(i, 1) != nullptr) == (i < 3));
}

TEST_CASE("data: a cache drops what was not asked for during two epochs") {
  picture_cache cache(10'000, 20);
  for (std::size_t i = 0; i < 3; ++i) cache.keep(i, 2, numbered(i));
  for (int epoch = 0; epoch < 5; ++epoch)
    for (std::size_t i = 0; i < 20; ++i) {
      cache.find(1, 2);
      if (cache.find(i, 1) == nullptr) cache.keep(i, 1, numbered(i));
    }
  CHECK(cache.used() <= 10'000);
  CHECK(cache.find(1, 2) != nullptr);  // in use all the time
  CHECK(cache.find(0, 2) == nullptr);
  CHECK(cache.find(2, 2) == nullptr);
}

TEST_CASE("data: a cache without a budget keeps nothing") {
  picture_cache cache(0, 10);
  CHECK(*cache.keep(1, 1, numbered(1)) == numbered(1));
  CHECK(cache.find(1, 1) == nullptr);
  cache.remember(1, {20, 30});
  CHECK_FALSE(cache.size_of(1));
  CHECK(cache.used() == 0);
}

TEST_CASE("data: a cache remembers the sizes of pictures") {
  picture_cache cache(100, 10);
  CHECK_FALSE(cache.size_of(1));
  cache.remember(1, {70000, 30});
  CHECK(cache.size_of(1) == image_size{70000, 30});
  CHECK_FALSE(cache.size_of(2));
}

TEST_CASE("data: threads share a cache") {
  picture_cache cache(40'000, 10);
  std::vector<std::thread> threads;
  std::vector<char> wrong(4, 0);
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t k = 0; k < 500; ++k) {
        const std::size_t i = (k * 7 + t) % 20;
        auto picture = cache.find(i, 1);
        if (!picture) picture = cache.keep(i, 1, numbered(i));
        wrong[t] = wrong[t] || *picture != numbered(i);
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<char>(4, 0));
  CHECK(cache.used() <= 40'000);
}
