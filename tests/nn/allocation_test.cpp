#include <dlfcn.h>
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include <effnet/cpu.hpp>
#include <effnet/reference.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "../oracle_fill.hpp"

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

template <backend B>
int allocations_after_the_first_pass(const network_spec& spec) {
  const dynamic_network<B> net{initial_weights(spec)};
  auto session = net.make_session({.features = true});
  const shape4 shapes[] = {{1, 64, 64, 3}, {2, 33, 48, 3}};
  const std::vector<float> images(2 * 64 * 64 * 3, 0.5f);
  for (const shape4& shape : shapes) session.run({images.data(), shape});
  own_allocations = 0;
  counting = true;
  for (int i = 0; i < 3; ++i)
    for (const shape4& shape : shapes) session.run({images.data(), shape});
  counting = false;
  return own_allocations;
}
}  // namespace

TEST_CASE("nn: a forward pass after the first allocates nothing") {
  CHECK(allocations_after_the_first_pass<cpu_backend>(b0) == 0);
  CHECK(allocations_after_the_first_pass<cpu_backend>(v2_b0) == 0);
  CHECK(allocations_after_the_first_pass<reference_backend>(v2_b0) == 0);
}

TEST_CASE("nn: the count of allocations sees what a first pass allocates") {
  const dynamic_network<cpu_backend> net{initial_weights(v2_b0)};
  auto session = net.make_session();
  const std::vector<float> images(32 * 32 * 3);
  own_allocations = 0;
  counting = true;
  session.run({images.data(), {1, 32, 32, 3}});
  counting = false;
  CHECK(own_allocations > 100);
}
