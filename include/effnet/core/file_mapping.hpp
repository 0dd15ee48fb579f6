#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>

#include <effnet/core/error.hpp>
#include <effnet/core/raw_tensor.hpp>

namespace effnet {

/// The bytes of a file without a copy of them: pages come from the disk when they are touched. The
/// mapping lives as long as `owner` or a copy of it. Do not truncate a file that is mapped.
struct file_mapping {
  std::shared_ptr<const void> owner;  ///< null for an empty file
  std::span<const std::byte> bytes;
};

namespace detail {

inline std::string reason_of(int code) {
  return std::generic_category().message(code);
}

/// Ends a mapping, and is how `release_pages` recognises one.
struct unmap {
  const std::byte* begin = nullptr;
  std::size_t size = 0;
  void operator()(const std::byte*) const {
    ::munmap(const_cast<std::byte*>(begin), size);  // its own signature asks for it
  }
};

struct descriptor {
  int number = -1;
  explicit descriptor(int n) : number(n) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number >= 0) ::close(number);
  }
};

}  // namespace detail

/// Maps a regular file, read only; throws `file_error` where there is none or it cannot be read.
inline file_mapping map_file(const std::string& path) {
  // O_NONBLOCK: opening a pipe must not wait for somebody to write into it
  const detail::descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number < 0)
    throw file_error(sentence("cannot open '", path, "': ", detail::reason_of(errno)));
  struct stat facts {};
  if (::fstat(file.number, &facts) != 0)
    throw file_error(sentence("cannot read '", path, "': ", detail::reason_of(errno)));
  if (S_ISDIR(facts.st_mode))
    throw file_error(sentence("'", path, "' is a folder; give a file in it"));
  if (!S_ISREG(facts.st_mode)) throw file_error(sentence("'", path, "' is not a regular file"));
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (size == 0) return {};
  if (size > SIZE_MAX) throw file_error(sentence("'", path, "' is too large for this machine"));
  void* begin =
      ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_PRIVATE, file.number, 0);
  if (begin == MAP_FAILED)
    throw file_error(sentence("cannot map '", path, "': ", detail::reason_of(errno)));
  const auto* bytes = static_cast<const std::byte*>(begin);
  const detail::unmap end{bytes, static_cast<std::size_t>(size)};
  return {std::shared_ptr<const std::byte>(bytes, end), {bytes, end.size}};
}

/// Tells the system that `range` of a mapped file is not needed soon, so that it stops counting as
/// this process's memory; touching it again reads it again. Does nothing where `owner` is not a
/// mapping that holds the range. The page in which the range ends stays, since what follows it
/// mostly is needed next: a sweep from front to back drops everything, each page once.
inline void release_pages(const std::shared_ptr<const void>& owner,
                          std::span<const std::byte> range) {
  const auto* mapping = std::get_deleter<detail::unmap>(owner);
  if (mapping == nullptr || range.empty()) return;
  // mappings begin on a page, so offsets round as addresses do
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto base = reinterpret_cast<std::uintptr_t>(mapping->begin);
  const auto first = reinterpret_cast<std::uintptr_t>(range.data());
  if (first < base || first - base > mapping->size || range.size() > mapping->size - (first - base))
    return;
  const std::size_t begin = (first - base) / page * page;
  const std::size_t end = first - base + range.size();
  const std::size_t whole = end == mapping->size ? end : end / page * page;
  if (whole > begin)
    ::madvise(const_cast<std::byte*>(mapping->begin) + begin, whole - begin, MADV_DONTNEED);
}

/// The same for a tensor that was packed or checked.
inline void release_pages(const raw_tensor& tensor) {
  if (tensor.data != nullptr) release_pages(tensor.owner, {tensor.data, tensor.bytes()});
}

}  // namespace effnet
