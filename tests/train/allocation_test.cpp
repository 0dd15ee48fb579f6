#include <dlfcn.h>
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/train/trainer.hpp>

#include "../oracle_fill.hpp"
#include "toy_network.hpp"

// The operators below are replaced in pairs; inlined, they look mismatched to the compiler.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

// Counts what this program allocates itself. oneDNN's own small allocations also pass through the
// replaced operators (it is a shared library): they are told apart by where the call came from.
namespace {
std::atomic<bool> counting{false};
std::atomic<int> own_allocations{0};

bool from_onednn(const void* caller) {
  Dl_info info;
  return dladdr(caller, &info) != 0 && info.dli_fname != nullptr &&
         std::strstr(info.dli_fname, "libdnnl") != nullptr;
}

void* allocate(std::size_t bytes, std::size_t alignment, const void* caller) {
  if (counting.load(std::memory_order_relaxed) && !from_onednn(caller)) ++own_allocations;
  void* p = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  return allocate(bytes > 0 ? bytes : 1, alignof(std::max_align_t), __builtin_return_address(0));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes > 0 ? bytes : 1, static_cast<std::size_t>(alignment),
                  __builtin_return_address(0));
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

namespace {
using namespace effnet;
using namespace effnet::testing;

template <class Work>
int allocations_of(const Work& work) {
  own_allocations = 0;
  counting = true;
  work();
  counting = false;
  return own_allocations;
}
}  // namespace

TEST_CASE("train: no step after the first allocates memory, beside what the network does") {
  const shape4 shape{4, 40, 40, 3};
  const std::vector<float> images = oracle_images(shape), targets(12, 1.0f / 3);
  const weights start = initial_weights(toy_table(), 1);
  training_network<cpu_training_backend> network(start);
  const auto pass = [&] {
    network.forward_backward({.images = {images.data(), shape}, .targets = targets.data()});
  };
  pass();
  const int of_a_pass = allocations_of(pass);
  for (int parts : {1, 2}) {
    trainer t{start, rmsprop{}, training_options{.clip = 1, .accumulation = parts},
              cpu_training_backend{}};
    const auto step = [&] {
      t.step({.images = {images.data(), shape},
              .targets = targets.data(),
              .dropout = 0.2f,
              .stochastic_depth = 0.5f});
    };
    step();
    CHECK(allocations_of(step) == parts * of_a_pass);
  }
}
