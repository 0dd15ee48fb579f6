#include <doctest/doctest.h>

#include <new>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <effnet/cpu.hpp>
#include <effnet/lite.hpp>
#include <effnet/reference.hpp>
#include <effnet/resnet.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "../oracle_fill.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

/// Narrow enough for every preset, with all three block kinds between them.
constexpr network_spec small_v2 = [] {
  network_spec spec = v2_b0;
  spec.name = "small_v2";
  for (stage_spec& row : spec.stages) row.repeats = row.repeats > 2 ? 2 : row.repeats;
  spec.head = 96;
  return with_classes(spec, 10);
}();
constexpr network_spec small_resnet = [] {
  network_spec spec = resnet50;
  spec.name = "small_resnet";
  spec.stages = {bottleneck{.repeats = 2, .stride = 1, .in = 64, .out = 64},
                 bottleneck{.repeats = 2, .stride = 2, .in = 64, .out = 128}};
  return with_classes(spec, 7);
}();
/// What no published table has: SE in fused blocks, with and without expansion, and a residual.
constexpr network_spec fused_se{
    .name = "fused_se",
    .stem = 8,
    .stages = {fused_mbconv{.repeats = 2, .expand = 1, .in = 8, .out = 8, .se = 0.5f},
               fused_mbconv{
                   .repeats = 2, .stride = 2, .expand = 4, .in = 8, .out = 12, .se = 0.25f},
               mbconv{.repeats = 2, .kernel = 5, .stride = 1, .expand = 1, .in = 12, .out = 12}},
    .head = 0,
    .classes = 5,
};

/// The reference, out of memory where a buffer would be larger than `most`.
struct starving_backend : reference_backend {
  static inline std::size_t most = 0;
  struct buffer : aligned_buffer {
    buffer() = default;
    explicit buffer(std::size_t bytes)
        : aligned_buffer(bytes <= most ? bytes : throw std::bad_alloc()) {}
  };
  starving_backend with_threads(int) const { return *this; }
};

template <backend B>
std::vector<float> logits_of(session<B>& on, const std::vector<float>& images, shape4 shape) {
  const outputs& out = on.run({images.data(), shape});
  return {out.logits.data, out.logits.data + out.logits.shape.elements()};
}
}  // namespace

TEST_CASE("nn: both backends agree on every block kind, at odd and oblong sizes") {
  for (const network_spec* spec : {&small_v2, &small_resnet, &fused_se})
    for (const auto family : {convention_name::tf, convention_name::torchvision})
      for (const shape4 shape : {shape4{2, 33, 47, 3}, shape4{1, 64, 32, 3}}) {
        CAPTURE(spec->name.text);
        CAPTURE(to_string(shape));
        const weights from = oracle_weights(*spec, convention_for(family, *spec));
        auto reference = dynamic_network<reference_backend>{from}.make_session();
        auto cpu = dynamic_network<cpu_backend>{from}.make_session({.threads = 2});
        const std::vector<float> images = oracle_images(shape);
        const auto expected = logits_of(reference, images, shape),
                   got = logits_of(cpu, images, shape);
        CHECK(expected.size() == static_cast<std::size_t>(shape.n * spec->classes));
        CHECK(largest_difference(got.data(), expected.data(), got.size()) <
              1e-5 * largest(expected.data(), expected.size()));
      }
}

TEST_CASE("nn: images of a batch do not see each other") {
  const dynamic_network<cpu_backend> net{
      oracle_weights(small_v2, convention_for(convention_name::tf, small_v2))};
  auto session = net.make_session({.threads = 1});
  const shape4 three{3, 40, 40, 3}, one{1, 40, 40, 3};
  const std::vector<float> images = oracle_images(three);
  const std::vector<float> together = logits_of(session, images, three);
  for (std::size_t n = 0; n < 3; ++n) {
    const std::vector<float> single(
        images.begin() + static_cast<std::ptrdiff_t>(n * one.elements()),
        images.begin() + static_cast<std::ptrdiff_t>((n + 1) * one.elements()));
    const std::vector<float> alone = logits_of(session, single, one);
    CHECK(largest_difference(alone.data(), together.data() + n * 10, 10) < 1e-5);
  }
}

TEST_CASE("nn: padding and eps are the checkpoint's and change the result") {
  convention rule = convention_for(convention_name::tf, small_v2);
  const std::vector<float> images = oracle_images({1, 64, 64, 3});
  const auto run = [&] {
    auto session =
        dynamic_network<reference_backend>{oracle_weights(small_v2, rule)}.make_session();
    return logits_of(session, images, {1, 64, 64, 3});
  };
  const std::vector<float> tf = run();
  rule.padding = padding_rule::symmetric;
  CHECK(run() != tf);
  rule = convention_for(convention_name::tf, small_v2);
  rule.bn_eps = 1e-5f;
  CHECK(run() != tf);
}

TEST_CASE("nn: sessions running at once agree bit for bit, and with a session alone") {
  const network<small_v2, cpu_backend> net{
      oracle_weights(small_v2, convention_for(convention_name::tf, small_v2))};
  const shape4 sizes[] = {{1, 48, 48, 3}, {2, 33, 40, 3}};
  std::vector<std::vector<float>> images, expected;
  for (const shape4& shape : sizes) {
    images.push_back(oracle_images(shape));
    auto alone = net.make_session({.threads = 1});
    expected.push_back(logits_of(alone, images.back(), shape));
  }
  int differing[4] = {};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        auto session = net.make_session({.threads = 1});
        for (std::size_t i = 0; i < 6; ++i) {
          const std::size_t at = (i + static_cast<std::size_t>(t)) % 2;
          differing[t] += logits_of(session, images[at], sizes[at]) != expected[at];
        }
      });
  }
  for (int t = 0; t < 4; ++t) CHECK(differing[t] == 0);
}

TEST_CASE("nn: a session at two threads repeats itself bit for bit") {
  const network<small_v2, cpu_backend> net{
      oracle_weights(small_v2, convention_for(convention_name::tf, small_v2))};
  const shape4 shape{2, 64, 64, 3};
  const std::vector<float> images = oracle_images(shape);
  auto first = net.make_session({.threads = 2}), second = net.make_session({.threads = 2});
  const std::vector<float> expected = logits_of(first, images, shape);
  for (int i = 0; i < 5; ++i) CHECK(logits_of(second, images, shape) == expected);
}

TEST_CASE("nn: features are the last map of every reduction level, and change no logit") {
  const auto check = [](const network_spec& spec, std::vector<int> reductions) {
    CAPTURE(spec.name.text);
    const weights from = oracle_weights(spec, convention_for(convention_name::tf, spec));
    const dynamic_network<cpu_backend> net{from};
    const shape4 shape{1, 70, 45, 3};
    const std::vector<float> images = oracle_images(shape);
    auto plain = net.make_session({.threads = 1});
    auto session = net.make_session({.threads = 1, .features = true});
    const std::vector<float> expected = logits_of(plain, images, shape);
    CHECK(plain.run({images.data(), shape}).features.empty());

    std::vector<std::pair<std::string, std::vector<float>>> maps;
    const outputs& out = session.run(
        {images.data(), shape}, [&](std::string_view name, const const_tensor_view& map) {
          maps.emplace_back(name, std::vector<float>(map.data, map.data + map.shape.elements()));
        });
    CHECK(std::equal(expected.begin(), expected.end(), out.logits.data));
    REQUIRE(out.features.size() == reductions.size());
    for (std::size_t i = 0; i < reductions.size(); ++i) {
      const outputs::feature& f = out.features[i];
      CHECK(f.reduction == reductions[i]);
      CHECK(f.map.shape.h == strided(70, f.reduction));
      CHECK(f.map.shape.w == strided(45, f.reduction));
      // Still what the block put out: nothing later has written there.
      const std::vector<float> kept(f.map.data, f.map.data + f.map.shape.elements());
      CHECK(std::any_of(maps.begin(), maps.end(), [&](const auto& m) { return m.second == kept; }));
    }
    CHECK(out.embedding.shape == shape4{1, 1, 1, spec.features()});
  };
  check(small_v2, {2, 4, 8, 16, 32});
  check(small_resnet, {2, 4, 8});
  check(fused_se, {2, 4});
}

TEST_CASE("nn: groups of images that threads run apart give what one pass over the batch gives") {
  const dynamic_network<cpu_backend> net{
      oracle_weights(small_v2, convention_for(convention_name::tf, small_v2))};
  for (const int threads : {1, 2, 3})
    for (const int batch : {2, 3, 7}) {
      CAPTURE(threads);
      CAPTURE(batch);
      auto apart = net.make_session({.threads = threads});
      auto whole = net.make_session({.threads = threads});
      const shape4 shape{batch, 40, 40, 3};
      const std::vector<float> images = oracle_images(shape);
      int observed = 0;
      const outputs& expected =
          whole.run({images.data(), shape}, [&](std::string_view, const const_tensor_view& map) {
            CHECK(map.shape.n == batch);
            ++observed;
          });
      CHECK(observed > 2);
      const outputs& got = apart.run({images.data(), shape});
      for (const auto& [a, b] :
           {std::pair{got.logits, expected.logits}, std::pair{got.embedding, expected.embedding}}) {
        CHECK(a.shape == b.shape);
        CHECK(largest_difference(a.data, b.data, b.shape.elements()) < 1e-5);
      }
    }
}

TEST_CASE("nn: a session's memory does not grow with the batch where images run apart") {
  const dynamic_network<cpu_backend> net{initial_weights(small_v2)};
  const auto bytes = [&](int batch) {
    auto session = net.make_session({.threads = 2});
    const shape4 shape{batch, 512, 512, 3};
    const std::vector<float> images(shape.elements());
    session.run({images.data(), shape});
    return session.memory_bytes();
  };
  CHECK(bytes(8) < bytes(2) + 8192);
}

TEST_CASE("nn: a session's memory stays what the largest plan needs") {
  const dynamic_network<cpu_backend> net{initial_weights(small_v2)};
  auto session = net.make_session({.threads = 1, .plans = 2});
  const auto run = [&](int side) {
    const shape4 shape{1, side, side, 3};
    const std::vector<float> images(shape.elements());
    session.run({images.data(), shape});
    return session.memory_bytes();
  };
  const std::size_t large = run(96);
  for (int side : {32, 40, 48, 96, 33, 96}) CHECK(run(side) == large);
}

TEST_CASE(
    "nn: plans that share a session's memory, or come back after eviction, do not disturb it") {
  for (const network_spec* spec : {&small_v2, &small_resnet})
    for (int plans : {0, 1, 3}) {
      CAPTURE(plans);
      const dynamic_network<cpu_backend> net{
          oracle_weights(*spec, convention_for(convention_name::tf, *spec))};
      auto session = net.make_session({.threads = 1, .features = plans == 3, .plans = plans});
      for (const shape4 shape :
           {shape4{1, 64, 48, 3}, shape4{2, 33, 32, 3}, shape4{1, 64, 48, 3}, shape4{1, 32, 70, 3},
            shape4{3, 40, 40, 3}, shape4{2, 33, 32, 3}}) {
        const std::vector<float> images = oracle_images(shape);
        auto fresh = net.make_session({.threads = 1});
        CHECK(logits_of(session, images, shape) == logits_of(fresh, images, shape));
      }
    }
}

TEST_CASE("nn: a session that ran out of memory runs again at sizes that fit") {
  starving_backend::most = 1 << 20;
  const dynamic_network<starving_backend> net{initial_weights(small_v2)};
  auto session = net.make_session();
  const shape4 small{1, 32, 32, 3}, large{1, 256, 256, 3};
  const std::vector<float> images = oracle_images(small), too_large(large.elements());
  const std::vector<float> expected = logits_of(session, images, small);
  for (int i = 0; i < 2; ++i)
    CHECK_THROWS_AS(session.run({too_large.data(), large}), std::bad_alloc);
  CHECK(logits_of(session, images, small) == expected);
}

TEST_CASE("nn: a session can be moved, its plans and outputs with it") {
  const dynamic_network<cpu_backend> net{initial_weights(small_v2)};
  auto first = net.make_session({.threads = 1});
  const shape4 shape{1, 40, 32, 3};
  const std::vector<float> images = oracle_images(shape);
  const std::vector<float> expected = logits_of(first, images, shape);
  const std::size_t bytes = first.memory_bytes();
  auto second = std::move(first);
  CHECK(second.memory_bytes() == bytes);
  CHECK(first.memory_bytes() == 0);
  CHECK(logits_of(second, images, shape) == expected);
  second = net.make_session({.threads = 2});
  CHECK(logits_of(second, images, shape).size() == expected.size());
}

TEST_CASE("nn: shapes that a network does not take are refused with what it takes") {
  const dynamic_network<reference_backend> net{initial_weights(small_v2)};
  auto session = net.make_session();
  const std::vector<float> images(31 * 64 * 3);
  CHECK_THROWS_WITH_AS(session.run({images.data(), {1, 31, 64, 3}}),
                       "network 'small_v2' takes images of shape [n >= 1, h >= 32, w >= 32, 3] "
                       "(NHWC), but got [1, 31, 64, 3]",
                       shape_error);
  CHECK_THROWS_AS(session.run({images.data(), {1, 32, 32, 1}}), shape_error);
  CHECK_THROWS_AS(session.run({images.data(), {0, 32, 32, 3}}), shape_error);
  CHECK_THROWS_AS(session.run({nullptr, {1, 32, 32, 3}}), shape_error);
}

TEST_CASE("nn: weights of another network are refused") {
  CHECK_THROWS_AS((network<lite0, reference_backend>{initial_weights(small_v2)}), weight_error);
  weights short_of_one = initial_weights(small_v2);
  short_of_one.tensors.pop_back();
  CHECK_THROWS_AS(dynamic_network<reference_backend>{short_of_one}, weight_error);
  weights misshapen = initial_weights(small_v2);
  misshapen.tensors[0].shape = {32, 3, 9, 1};
  CHECK_THROWS_WITH_AS(dynamic_network<reference_backend>{misshapen},
                       doctest::Contains("[32, 3, 3, 3]"), weight_error);
}

TEST_CASE("nn: a network's weights may be half precision") {
  weights from = initial_weights(small_v2, 1);
  raw_tensor& stem = from.tensors[0];
  auto halves =
      std::make_shared<std::vector<std::uint16_t>>(stem.elements(), std::uint16_t{0x3400});  // 0.25
  stem.type = dtype::f16;
  stem.data = reinterpret_cast<const std::byte*>(halves->data());
  stem.owner = halves;
  weights same = initial_weights(small_v2, 1);
  auto floats = std::make_shared<std::vector<float>>(stem.elements(), 0.25f);
  same.tensors[0].data = reinterpret_cast<const std::byte*>(floats->data());
  same.tensors[0].owner = floats;
  const std::vector<float> images = oracle_images({1, 32, 32, 3});
  auto a = dynamic_network<reference_backend>{from}.make_session();
  auto b = dynamic_network<reference_backend>{same}.make_session();
  CHECK(logits_of(a, images, {1, 32, 32, 3}) == logits_of(b, images, {1, 32, 32, 3}));
}

TEST_CASE("nn: sessions outlive the network they came from") {
  std::optional<dynamic_network<reference_backend>> net{initial_weights(fused_se, 3)};
  auto session = net->make_session();
  net.reset();
  const std::vector<float> images = oracle_images({1, 32, 32, 3});
  CHECK(logits_of(session, images, {1, 32, 32, 3}).size() == 5);
}

TEST_CASE("nn: a variance that no batch norm can have is refused by name and channel") {
  weights from = initial_weights(fused_se);
  raw_tensor& variance = from.tensors[4];
  auto values = std::make_shared<std::vector<float>>(variance.elements(), 1.0f);
  (*values)[3] = -0.5f;
  variance.data = reinterpret_cast<const std::byte*>(values->data());
  variance.owner = values;
  auto session = dynamic_network<reference_backend>{from}.make_session();
  const std::vector<float> images = oracle_images({1, 32, 32, 3});
  CHECK_THROWS_WITH_AS(session.run({images.data(), {1, 32, 32, 3}}),
                       doctest::Contains("variance of channel 3 of tensor 4 is -0.5"),
                       weight_error);
  CHECK_THROWS_AS(session.run({images.data(), {1, 32, 32, 3}}), weight_error);  // and again
}
