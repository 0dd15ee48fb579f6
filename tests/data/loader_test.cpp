#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/loader.hpp>
#include <effnet/data/shapes.hpp>

using namespace effnet;

namespace {

const input_rule plain{.mean = {0, 0, 0}, .deviation = {1, 1, 1}};

/// Pictures of one colour, which is their number; some of them broken.
struct numbered {
  std::size_t samples = 100;
  std::set<std::size_t> broken = {};
  std::vector<std::string> names{"a", "b", "c"};

  std::size_t count() const { return samples; }
  const std::vector<std::string>& classes() const { return names; }
  int label(std::size_t i) const { return static_cast<int>(i % 3); }
  effnet::image image(std::size_t i) const {
    if (broken.contains(i)) throw image_error(sentence("picture ", i, " is broken"));
    effnet::image made = make_image(3, 2);
    std::ranges::fill(made.pixels, static_cast<std::uint8_t>(i));
    return made;
  }
  std::string name(std::size_t i) const { return sentence(i); }
};

/// Batches of `count` until `steps` are done.
struct steady_plan {
  int count = 8;
  std::int64_t steps = 1 << 30;
  sample_look look{.size = 4};

  std::optional<batch_request> operator()(std::int64_t step) const {
    if (step >= steps) return std::nullopt;
    return batch_request{step, step * count, count, look};
  }
};

/// Sizes, batches and regularization that change with the step, as in progressive learning.
std::optional<batch_request> changing_plan(std::int64_t step) {
  const int stage = static_cast<int>(step / 3) % 3;
  const int before[] = {0, 33, 60};
  const int counts[] = {11, 9, 7};
  const std::int64_t first = step / 9 * 81 + before[stage] + step % 3 * counts[stage];
  return batch_request{step,
                       first,
                       counts[stage],
                       {.size = 16 + 8 * stage,
                        .augment = sample_augmentation::rand_augment,
                        .magnitude = 5.0f + static_cast<float>(stage),
                        .random_erasing = 0.5f,
                        .mixup = stage == 0 ? 0.0f : 0.3f,
                        .cutmix = stage == 2 ? 1.0f : 0.0f}};
}

bool same(const loaded_batch& a, const loaded_batch& b) {
  return a.shape == b.shape && a.images == b.images && a.targets == b.targets &&
         a.request.step == b.request.step;
}

template <data_set Set, class Plan>
std::vector<loaded_batch> batches_of(const Set& set, const loader_options& options, Plan plan,
                                     std::int64_t first, int count) {
  loader batches(set, options, plan, first);
  std::vector<loaded_batch> made;
  for (int i = 0; i < count; ++i) made.push_back(batches.next());
  return made;
}

/// Which pictures of a `numbered` set a batch shows.
std::vector<int> numbers_of(const loaded_batch& batch) {
  std::vector<int> numbers;
  const std::size_t pixels = batch.images.size() / static_cast<std::size_t>(batch.shape.n);
  for (std::size_t i = 0; i < batch.images.size(); i += pixels)
    numbers.push_back(static_cast<int>(batch.images[i]));
  return numbers;
}

}  // namespace

TEST_CASE("data: a loader's batches hold the samples in the order of the epochs") {
  const numbered set{.samples = 20};
  loader batches(set, {.seed = 6, .input = plain}, steady_plan{.count = 8});
  const sample_order order(set, 6);
  std::vector<int> expected, got;
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch)
    for (std::uint32_t i : order.epoch(epoch)) expected.push_back(static_cast<int>(i));
  for (int step = 0; step < 5; ++step) {
    const loaded_batch& batch = batches.next();
    CHECK(batch.shape == shape4{8, 4, 4, 3});
    CHECK(batch.request.step == step);
    const std::vector<int> numbers = numbers_of(batch);
    for (std::size_t i = 0; i < numbers.size(); ++i)
      for (std::size_t c = 0; c < 3; ++c)
        CHECK(batch.targets[i * 3 + c] == (static_cast<int>(c) == numbers[i] % 3 ? 1.0f : 0.0f));
    got.insert(got.end(), numbers.begin(), numbers.end());
  }
  CHECK(got == expected);
  CHECK(batches.broken() == 0);
  CHECK(batches.waited_seconds() >= 0);
}

TEST_CASE("data: a batch may be larger than its set") {
  const numbered set{.samples = 3};
  loader batches(set, {.threads = 2, .input = plain}, steady_plan{.count = 30});
  std::map<int, int> counts;
  for (int number : numbers_of(batches.next())) ++counts[number];
  CHECK(counts == std::map<int, int>{{0, 10}, {1, 10}, {2, 10}});
}

TEST_CASE("data: batches have the same bits for any number of threads") {
  const shapes set(50, 1, 40);
  const auto expected = batches_of(set, {.threads = 1, .seed = 5}, changing_plan, 0, 12);
  for (int threads : {2, 4}) {
    const auto made =
        batches_of(set, {.threads = threads, .prefetch = threads, .seed = 5}, changing_plan, 0, 12);
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(same(made[i], expected[i]));
  }
  CHECK_FALSE(same(batches_of(set, {.seed = 4}, changing_plan, 0, 1)[0], expected[0]));
}

TEST_CASE("data: batches have the same bits wherever a loader starts") {
  const shapes set(50, 1, 40);
  const auto expected = batches_of(set, {.threads = 2, .seed = 5}, changing_plan, 0, 12);
  for (std::int64_t first : {1, 4, 8, 11})
    CHECK(same(batches_of(set, {.threads = 3, .seed = 5}, changing_plan, first, 1)[0],
               expected[static_cast<std::size_t>(first)]));
}

TEST_CASE("data: a broken picture is replaced by the next of the epoch and counted once") {
  numbered set{.samples = 20};
  const sample_order order(set, 6);
  const std::vector<std::uint32_t> epoch = order.epoch(0);
  set.broken = {epoch[3], epoch[4], epoch[19]};
  std::vector<std::vector<int>> seen;
  for (int threads : {1, 2, 4}) {
    loader batches(set, {.threads = threads, .seed = 6, .input = plain}, steady_plan{.count = 20});
    std::vector<std::uint32_t> expected = epoch;
    expected[3] = expected[4] = epoch[5];
    expected[19] = epoch[0];  // after the last comes the first
    const std::vector<int> numbers = numbers_of(batches.next());
    CHECK(std::ranges::equal(numbers, expected, {}, {},
                             [](std::uint32_t i) { return static_cast<int>(i); }));
    CHECK(batches.broken() == 3);
    REQUIRE(batches.warnings().size() == 3);
    CHECK(batches.warnings()[0] == sentence("picture ", epoch[3], " is broken"));
    CHECK(batches.warnings()[2] == sentence("picture ", epoch[19], " is broken"));
    seen.push_back(numbers_of(batches.next()));
    CHECK(batches.broken() == 3);
  }
  CHECK(seen[0] == seen[1]);
  CHECK(seen[0] == seen[2]);
}

TEST_CASE("data: many broken pictures are all counted, the first twenty named") {
  numbered set{.samples = 100};
  for (std::size_t i = 0; i < 100; i += 2) set.broken.insert(i);
  loader batches(set, {.threads = 2, .input = plain}, steady_plan{.count = 100});
  for (int number : numbers_of(batches.next())) CHECK(number % 2 == 1);
  CHECK(batches.broken() == 50);
  CHECK(batches.warnings().size() == 20);
}

TEST_CASE("data: where no picture can be had, a sentence says so") {
  numbered set{.samples = 9};
  for (std::size_t i = 0; i < 9; ++i) set.broken.insert(i);
  const sample_order order(set, 0);
  loader batches(set, {.threads = 2}, steady_plan{.count = 2});
  const std::string expected = sentence("none of the 9 pictures can be read; the first: picture ",
                                        order.epoch(0)[0], " is broken");
  CHECK_THROWS_WITH_AS(batches.next(), expected.c_str(), image_error);
  CHECK_THROWS_AS(batches.next(), image_error);  // and still
}

TEST_CASE("data: what a plan or a set throws reaches the caller") {
  const numbered set;
  const auto failing = [](std::int64_t step) -> std::optional<batch_request> {
    if (step == 2) throw std::runtime_error("no plan");
    return batch_request{step, step, 1, {.size = 4}};
  };
  loader batches(set, {.threads = 3}, failing);
  batches.next();
  batches.next();
  CHECK_THROWS_WITH_AS(batches.next(), "no plan", std::runtime_error);

  struct failing_set : numbered {
    effnet::image image(std::size_t) const { throw std::runtime_error("no set"); }
  };
  const failing_set failed;
  loader others(failed, {.threads = 2}, steady_plan{});
  CHECK_THROWS_WITH_AS(others.next(), "no set", std::runtime_error);
}

TEST_CASE("data: a request that cannot be is refused") {
  const numbered set;
  const auto bad = [](std::int64_t) -> std::optional<batch_request> {
    return batch_request{0, 0, 0, {}};
  };
  loader batches(set, {}, bad);
  CHECK_THROWS_AS(batches.next(), error);
  loader others(set, {}, steady_plan{.look = {.size = -1}});
  CHECK_THROWS_AS(others.next(), error);
  CHECK_THROWS_AS(loader(set, {.threads = 0}, steady_plan{}), error);
  CHECK_THROWS_AS(loader(set, {.prefetch = 0}, steady_plan{}), error);
}

TEST_CASE("data: after the last step of a plan there is no batch") {
  const numbered set;
  loader batches(set, {.threads = 2}, steady_plan{.steps = 3}, 1);
  CHECK(batches.next().request.step == 1);
  CHECK(batches.next().request.step == 2);
  CHECK_THROWS_WITH_AS(batches.next(), "there is no batch for step 3: the plan has ended", error);
}

TEST_CASE("data: a loader works ahead, but no further than told") {
  const numbered set;
  std::atomic<std::int64_t> furthest{-1};
  const auto watched = [&](std::int64_t step) -> std::optional<batch_request> {
    furthest = step;
    return batch_request{step, step, 1, {.size = 4}};
  };
  const auto settles_at = [&](std::int64_t step) {
    for (int i = 0; i < 5000 && furthest < step; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return furthest == step;
  };
  loader batches(set, {.threads = 2, .prefetch = 3}, watched);
  CHECK(settles_at(3));
  batches.next();
  CHECK(settles_at(3));  // batch 0 is in use
  batches.next();
  CHECK(settles_at(4));
}

TEST_CASE("data: a loader's memory is used again from batch to batch") {
  const shapes set(20, 1, 16);
  loader batches(set, {.threads = 2, .prefetch = 2}, changing_plan);
  std::set<const float*> after_the_largest;
  for (int step = 0; step < 9; ++step) batches.next();
  for (int step = 0; step < 30; ++step) after_the_largest.insert(batches.next().images.data());
  CHECK(after_the_largest.size() <= 6);  // three slots; those that have not yet had the largest
}

TEST_CASE("data: a loader that is given up stops at once") {
  struct slow_set : numbered {
    effnet::image image(std::size_t i) const {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      return numbered::image(i);
    }
  };
  const slow_set set;
  const auto begin = std::chrono::steady_clock::now();
  {
    loader batches(set, {.threads = 2, .prefetch = 100}, steady_plan{.count = 1000});
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}

TEST_CASE("data: several labels share a sample's target") {
  struct multi : numbered {
    std::vector<int> both{2, 0}, one{1};
    std::span<const int> labels(std::size_t i) const { return i % 2 == 0 ? both : one; }
  };
  const multi set;
  static_assert(multi_label_set<multi> && !multi_label_set<numbered>);
  for (const label_targets kind : {label_targets::shares, label_targets::multi_hot}) {
    loader batches(set, {.input = plain, .targets = kind}, steady_plan{});
    const loaded_batch& batch = batches.next();
    const float each = kind == label_targets::shares ? 0.5f : 1.0f;
    const std::vector<int> numbers = numbers_of(batch);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const std::vector<float> row(batch.targets.begin() + static_cast<std::ptrdiff_t>(i) * 3,
                                   batch.targets.begin() + static_cast<std::ptrdiff_t>(i) * 3 + 3);
      CHECK(row == (numbers[i] % 2 == 0 ? std::vector<float>{each, 0, each}
                                        : std::vector<float>{0, 1, 0}));
    }
  }
}

TEST_CASE("data: batches are mixed as their request says") {
  const numbered set{.samples = 30};
  const auto plan = [](float mixup, float cutmix) {
    return steady_plan{.count = 6, .look = {.size = 4, .mixup = mixup, .cutmix = cutmix}};
  };
  const loader_options options{.threads = 2, .seed = 8, .input = plain};
  loaded_batch expected = batches_of(set, options, plan(0, 0), 2, 1)[0];
  mix({{expected.images.data(), expected.shape}, expected.targets, 3},
      {.mixup_alpha = 0.5, .cutmix_alpha = 1}, 8, 2);
  CHECK(same(batches_of(set, options, plan(0.5f, 1), 2, 1)[0], expected));
}
