#pragma once

#include <sys/mman.h>

#include <cstddef>

namespace effnet {

/// Bytes of a huge page, and how memory is to be aligned that should lie in some.
inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Asks the system for huge pages, of which it takes those that `bytes` from `aligned` on fill. As
/// kernels walk across a tensor by panels of channels, they are on another small page every few
/// pixels and wait for its address. Where there are no huge pages, memory stays as it is.
inline void prefer_huge_pages([[maybe_unused]] void* aligned, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  ::madvise(aligned, bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
}

}  // namespace effnet
