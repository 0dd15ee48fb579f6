#pragma once

#include <dirent.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include <effnet/core/error.hpp>

namespace effnet {

/// Where the checkpoint before `path` is kept: "last.ckpt" and "last.previous.ckpt".
inline std::string previous_checkpoint(const std::string& path) {
  const std::size_t slash = path.rfind('/'), dot = path.rfind('.');
  if (dot == path.npos || (slash != path.npos && dot < slash)) return path + ".previous";
  return path.substr(0, dot) + ".previous" + path.substr(dot);
}

/// Keeps what is at `path` as the previous checkpoint, and leaves it where it is: the next one
/// replaces it there by renaming, so that at no moment `path` is missing or in parts. Does nothing
/// where there is none yet, or where the file system has no links.
inline void keep_previous(const std::string& path) {
  const std::string kept = previous_checkpoint(path);
  const std::string temporary = sentence(kept, '.', ::getpid(), "-link.partial");
  ::unlink(temporary.c_str());
  if (::link(path.c_str(), temporary.c_str()) != 0) return;
  if (::rename(temporary.c_str(), kept.c_str()) != 0) ::unlink(temporary.c_str());
  ::unlink(temporary.c_str());  // still there where both were the same file
}

/// Removes the parts of files at `path` that writers left who were killed meanwhile.
inline void remove_leftovers(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == path.npos ? "." : path.substr(0, slash + 1);
  const std::string beginning = (slash == path.npos ? path : path.substr(slash + 1)) + '.';
  constexpr std::string_view ending = ".partial";
  const std::unique_ptr<::DIR, int (*)(::DIR*)> listing(::opendir(folder.c_str()), &::closedir);
  while (const ::dirent* entry = listing ? ::readdir(listing.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(beginning) || !name.ends_with(ending)) continue;
    ::pid_t writer = 0;
    const char* digits = name.data() + beginning.size();
    const auto [end, code] = std::from_chars(digits, name.data() + name.size(), writer);
    const bool is_ours = code == std::errc() && *end == '-' && writer > 0;
    if (is_ours && ::kill(writer, 0) != 0 && errno == ESRCH)
      ::unlink((folder + (slash == path.npos ? "/" : "") + std::string(name)).c_str());
  }
}

}  // namespace effnet
