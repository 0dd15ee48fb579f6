#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include <effnet/core/error.hpp>
#include <effnet/io/in_quotes.hpp>

#include "make_folder.hpp"

namespace example {

/// Keeps a set's folder to one program. It makes the folder.
class set_lock {
 public:
  /// Throws `effnet::file_error` where that cannot be, or another program runs the set.
  explicit set_lock(const std::filesystem::path& folder) {
    make_folder(folder);
    file_ = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0)
      throw effnet::file_error("cannot write in " + effnet::path_in_quotes(folder.string()));
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(file_);
    throw effnet::file_error(effnet::sentence("another program runs experiments in ",
                                              effnet::path_in_quotes(folder.string()),
                                              "; choose another --out"));
  }
  set_lock(const set_lock&) = delete;
  set_lock& operator=(const set_lock&) = delete;
  ~set_lock() { ::close(file_); }

 private:
  int file_ = -1;
};

}  // namespace example
