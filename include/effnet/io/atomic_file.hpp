#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <effnet/core/file_mapping.hpp>

namespace effnet {

/// A file that is there whole or not at all: written beside its place under another name, put on
/// the disk, then renamed. Without `commit` nothing stays. Throws `file_error`.
class atomic_file {
 public:
  explicit atomic_file(std::string path)
      : path_(std::move(path)), temporary_(unused_name(path_)), file_(create(path_, temporary_)) {}
  atomic_file(const atomic_file&) = delete;
  atomic_file& operator=(const atomic_file&) = delete;
  ~atomic_file() {
    if (!committed_) ::unlink(temporary_.c_str());
  }

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ::ssize_t written = ::write(file_.number, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  void commit() {
    if (::fsync(file_.number) != 0) fail();
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
    committed_ = true;
    const std::size_t slash = path_.rfind('/');
    const std::string folder = slash == path_.npos ? "." : path_.substr(0, slash + 1);
    const detail::descriptor entry(::open(folder.c_str(), O_RDONLY | O_CLOEXEC));
    if (entry.number >= 0) ::fsync(entry.number);  // some file systems cannot; the name is there
  }

 private:
  static std::string unused_name(const std::string& path) {
    static std::atomic<unsigned> counter{0};
    return sentence(path, ".", ::getpid(), "-", counter++, ".partial");
  }
  static int create(const std::string& path, const std::string& temporary) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode))
      throw file_error(sentence("cannot write '", path, "': it is not a regular file"));
    const int number =
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);  // umask applies
    if (number < 0)
      throw file_error(sentence("cannot write '", path, "': ", detail::reason_of(errno)));
    return number;
  }
  [[noreturn]] void fail() const {
    throw file_error(sentence("cannot write '", path_, "': ", detail::reason_of(errno)));
  }

  std::string path_, temporary_;
  detail::descriptor file_;
  bool committed_ = false;
};

}  // namespace effnet
