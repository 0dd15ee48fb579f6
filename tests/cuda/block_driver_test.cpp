#include <effnet/cuda/driven_device.hpp>
#include <effnet/cuda/gpu_backend.hpp>

#include "gpu_checks.hpp"

// What the driver must see: kernels that are broken on purpose, and every barrier of every kernel
// taken away.
namespace {
using namespace effnet;
using namespace effnet::testing;
using cuda::block_driver;
using cuda::global_span;
using cuda::kernel_fault;
using cuda::launch_shape;
using cuda::shared_memory;
using cuda::thread_place;

/// Each thread leaves its number and takes its neighbour's; `broken` says what goes wrong.
enum class flaw { none, reads_behind, writes_behind, misaligned, reads_unwritten, shares_a_place };
struct neighbours {
  static constexpr const char* name = "neighbours";
  static constexpr unsigned most_threads = 64;
  using registers = cuda::no_registers;

  global_span<const float> src;
  global_span<float> dst;
  flaw broken = flaw::none;
  unsigned threads = most_threads;
  int phases() const { return 2; }
  launch_shape shape() const {
    return {.grid = {2}, .block = {threads}, .shared_bytes = threads * sizeof(float)};
  }

  void run(int phase, const thread_place& at, registers&, const shared_memory& shared) const {
    const std::size_t self = at.in_block.x, i = at.in_grid.x * at.block.x + self;
    if (phase == 0) {
      if (broken == flaw::misaligned) src.load<4>(i);
      if (broken == flaw::reads_unwritten && self == 5) return;
      shared.store(broken == flaw::shares_a_place ? self / 2 : self,
                   src.load(broken == flaw::reads_behind ? i + 1 : i));
    } else {
      dst.store(broken == flaw::writes_behind ? i + 1 : i, shared.load((self + 1) % at.block.x));
    }
  }
};

std::string fault_of(const neighbours& k, const block_driver& driver = {}) {
  try {
    driver.run(k);
  } catch (const kernel_fault& fault) {
    return fault.what();
  }
  return "";
}

/// A device that first runs every kernel without each of its barriers, which must not go unseen.
class barrier_test_device : public cuda::driven_device {
 public:
  static inline int launches = 0, barriers = 0, missed = 0;

  template <cuda::kernel K>
  void run(const K& k) const {
    ++launches;
    for (int phase = 0; phase + 1 < k.phases(); ++phase) {
      ++barriers;
      bool seen = false;
      try {
        block_driver::without_barrier(phase).run(k);
      } catch (const kernel_fault&) {
        seen = true;
      }
      if (!seen) ++missed;
    }
    driven_device::run(k);
  }
};
}  // namespace

TEST_CASE("cuda: the driver runs a kernel as its blocks and threads say") {
  const std::vector<float> src = noise(128, 1);
  std::vector<float> dst(128);
  const neighbours k{.src = {src.data(), 128}, .dst = {dst.data(), 128}};
  block_driver().run(k);
  for (std::size_t i = 0; i < 128; ++i) CHECK(dst[i] == src[i / 64 * 64 + (i + 1) % 64]);
}

TEST_CASE("cuda: the driver sees broken indices, races and launches that no device takes") {
  const std::vector<float> src = noise(128, 1);
  std::vector<float> dst(128);
  neighbours k{.src = {src.data(), 128}, .dst = {dst.data(), 128}};
  CHECK(fault_of(k) == "");
  const auto with = [&](flaw broken) {
    k.broken = broken;
    return fault_of(k);
  };
  CHECK(with(flaw::reads_behind) ==
        "kernel neighbours, block (1, 0, 0), thread (63, 0, 0), phase 0: reads 1 numbers at 128 of "
        "128");
  CHECK(
      with(flaw::writes_behind) ==
      "kernel neighbours, block (1, 0, 0), thread (63, 0, 0), phase 1: writes 1 numbers at 128 of "
      "128");
  CHECK(with(flaw::misaligned).find("no multiple of their size") != std::string::npos);
  CHECK(with(flaw::reads_unwritten).find("reads shared float 5, which nobody wrote") !=
        std::string::npos);
  CHECK(with(flaw::shares_a_place).find("did with no barrier between") != std::string::npos);
  k.broken = flaw::none;
  CHECK(fault_of(k, block_driver::without_barrier(0)).find("shared float") != std::string::npos);
  k.threads = 128;
  CHECK(fault_of(k) == "kernel neighbours has 128 threads a block, but says it has at most 64");
  k.threads = 2048;
  CHECK(fault_of(k).find("at most 1024 are allowed") != std::string::npos);
  k.threads = 0;
  CHECK(fault_of(k) == "kernel neighbours has an empty grid or block");
}

TEST_CASE("cuda: every barrier of every kernel is missed where it is taken away") {
  using barrier_backend = cuda::gpu_backend<barrier_test_device>;
  for (const auto of : {cuda::products::fp32, cuda::products::tf32, cuda::products::bf16})
    for (const conv_case& at : small_conv_cases()) {
      const conv_problem& p = at.problem;
      if (p.depthwise() && of != cuda::products::fp32) continue;  // the same kernels
      const barrier_backend on(of);
      const conv_data data(p);
      run_conv(on, p, at.then, data.src, data.weights.data(), data.bias.data(), data.residual);
      run_conv_backward(on, p, data, noise(p.dst().elements(), 9));
    }
  const barrier_backend on;
  for (const norm_case& at : norm_cases({2, 9, 7, 40})) run_norm(on, at, norm_data(at.shape));
  check_elementwise(on);
  check_training_ops(on);
  check_expand_depthwise(on, cuda::products::fp32);
  check_squeeze_excite(on);
  MESSAGE(barrier_test_device::barriers, " barriers of ", barrier_test_device::launches,
          " launches taken away");
  CHECK(barrier_test_device::barriers > 0);
  CHECK(barrier_test_device::missed == 0);
}
