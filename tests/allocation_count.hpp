#pragma once

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

// Counts allocations. Replaces the program's operators new and delete: one file of a program
// includes it.

// The operators below are replaced in pairs; inlined, they look mismatched to the compiler.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

// What the program allocates itself is counted. oneDNN's own small allocations also pass through
// the replaced operators (it is a shared library): they are told apart by where the call came from.
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
/// How often `work()` allocates.
template <class Work>
int allocations_of(const Work& work) {
  own_allocations = 0;
  counting = true;
  work();
  counting = false;
  return own_allocations;
}
}  // namespace
