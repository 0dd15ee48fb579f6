#include <effnet/cuda/driven_device.hpp>
#include <effnet/cuda/gpu_backend.hpp>

#include "input_checks.hpp"
#include "late_device.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;
using driven_backend = cuda::gpu_backend<cuda::driven_device>;
static_assert(uploads_batches<driven_backend>);

/// A batch of one sample of `size` pixels a side, all of one value, in one memory after the other.
struct plain_batch {
  staging_memory memory{std::pmr::new_delete_resource()};
  std::vector<staged_block> blocks;
  staged_batch staged;

  void stage(std::uint8_t value, int size) {
    memory.clear();
    image picture = make_image(size, size);
    std::ranges::fill(picture.pixels, value);
    staged_sample sample;
    sample.width = sample.height = size;
    sample.pixels = memory.keep(std::span<const std::uint8_t>(picture.pixels));
    const std::vector<float> targets(3, static_cast<float>(value));
    staged = stage_batch({&sample, 1}, {1, size, size, 3}, targets, 3, levels, memory, blocks);
  }
  /// What the next batch of a loader does to the bytes.
  void spoil() {
    for (const staged_block& one : blocks)
      std::memset(const_cast<std::byte*>(one.bytes.data()), 0xA5, one.bytes.size());
  }
  const pixel_levels levels{input_rule{.mean = {0, 0, 0}, .deviation = {1, 1, 1}}};
};

/// Six batches, whose images are copied, by the device, where they are looked at in the end.
template <class Device>
void check_order() {
  constexpr int size = 5, batches = 6;
  constexpr std::size_t elements = std::size_t{size} * size * 3;
  const Device on;
  const aligned_buffer images(batches * elements * sizeof(float)),
      targets(batches * 3 * sizeof(float));
  const auto place = [](const aligned_buffer& of, std::size_t i) {
    return reinterpret_cast<float*>(of.data()) + i;
  };
  cuda::batch_uploads<Device> uploads(on);
  plain_batch one;
  const auto begin = [&](int k) {
    uploads.wait();
    one.spoil();
    one.stage(static_cast<std::uint8_t>(10 + k), size);
    uploads.begin(one.staged);
  };
  begin(0);
  for (int k = 0; k < batches; ++k) {
    const device_batch got = uploads.next();
    on.copy(got.images.data, place(images, static_cast<std::size_t>(k) * elements),
            elements * sizeof(float));
    if (k + 1 < batches) begin(k + 1);
    on.copy(got.targets, place(targets, static_cast<std::size_t>(k) * 3), 3 * sizeof(float));
  }
  on.wait();
  for (std::size_t k = 0; k < batches; ++k) {
    const float value = 10 + static_cast<float>(k);
    for (std::size_t i = 0; i < elements; ++i) CHECK(*place(images, k * elements + i) == value);
    for (std::size_t i = 0; i < 3; ++i) CHECK(*place(targets, k * 3 + i) == value);
  }
}
}  // namespace

TEST_CASE("cuda: driven: batches of bytes become the images that the processor makes") {
  check_looks(driven_backend{});
}
TEST_CASE("cuda: driven: pictures are resized as on the processor, to the bit") {
  check_resizes(driven_backend{});
}
TEST_CASE("cuda: driven: parts of files are what the processor makes of them") {
  check_files(driven_backend{});
}
TEST_CASE("cuda: a device resizes what nothing on the processor stands behind") {
  staging_memory memory(std::pmr::new_delete_resource());
  const auto staged = [&](int width, int height, sample_look look) {
    look.size = 33;
    look.whole = true;
    return stage_training_sample(noise_picture(width, height), {0, 0, width, height}, 1, look,
                                 sample_key{}, memory);
  };
  const staged_sample two = staged(40, 36, {}), one = staged(33, 36, {}), tall = staged(1, 210, {});
  CHECK(two.is_resampled());
  CHECK(two.across.stride > 0);
  CHECK_FALSE(two.is_down_first);
  CHECK(one.is_resampled());
  CHECK(one.across.stride == 0);
  CHECK(tall.is_down_first);
  CHECK(staged(40, 36, {.augment = sample_augmentation::finetune}).is_resampled());
  CHECK(staged(40, 36, {.augment = sample_augmentation::rand_augment}).is_resampled());
  CHECK_FALSE(staged(40, 36, {.augment = sample_augmentation::rand_augment, .magnitude = 3})
                  .is_resampled());
  CHECK_FALSE(staged(40, 36, {.augment = sample_augmentation::auto_augment}).is_resampled());
  CHECK_FALSE(staged(40, 36, {.filter = interpolation::tf_bilinear}).is_resampled());
  CHECK_FALSE(staged(40, 36, {.filter = interpolation::nearest}).is_resampled());
  CHECK_FALSE(staged(94, 94, {}).is_resampled());  // over 8 times the pixels of the sample
}
TEST_CASE("cuda: driven: batches are mixed as the processor mixes them") {
  check_mixing(driven_backend{});
}
TEST_CASE("cuda: uploads wait for what they overwrite, and images for their uploads") {
  check_order<cuda::driven_device>();
  check_order<late_device<true>>();
  check_order<late_device<false>>();
}
TEST_CASE("cuda: a batch that was not taken is not overwritten") {
  cuda::batch_uploads<cuda::driven_device> uploads(cuda::driven_device{});
  CHECK_THROWS_AS(uploads.next(), error);
  plain_batch one;
  one.stage(3, 4);
  uploads.begin(one.staged);
  CHECK_THROWS_AS(uploads.begin(one.staged), error);
  CHECK(*uploads.next().images.data == 3);
  CHECK_THROWS_AS(uploads.next(), error);
}
TEST_CASE("cuda: a batch may lie in many blocks of memory") {
  staging_memory memory(std::pmr::new_delete_resource(), 64);
  std::vector<std::uint64_t> places;
  for (int k = 0; k < 40; ++k) {
    const std::vector<std::uint8_t> some(static_cast<std::size_t>(7 + 3 * k),
                                         static_cast<std::uint8_t>(k));
    places.push_back(memory.keep(std::span<const std::uint8_t>(some)));
  }
  std::vector<staged_block> blocks;
  memory.blocks(blocks);
  CHECK(blocks.size() > 10);
  std::vector<std::byte> there(memory.extent());
  for (const staged_block& one : blocks)
    std::memcpy(there.data() + one.begin, one.bytes.data(), one.bytes.size());
  for (std::size_t k = 0; k < 40; ++k) {
    CHECK(places[k] % staging_memory::alignment == 0);
    for (std::size_t i = 0; i < 7 + 3 * k; ++i) CHECK(there[places[k] + i] == std::byte(k));
  }
  memory.clear();
  CHECK(memory.extent() == 0);
  CHECK(memory.blocks(blocks).empty());
}
