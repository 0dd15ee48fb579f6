#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/core/error.hpp>
#include <effnet/core/file_mapping.hpp>
#include <effnet/io/in_quotes.hpp>

#include "search/entry_reader.hpp"

namespace example {

/// What a journal holds: a header that says what it is about, then an entry a line.
struct journal_text {
  std::string name;  ///< of the file, for messages
  nlohmann::ordered_json head;
  std::vector<nlohmann::ordered_json> lines;
  std::size_t whole = 0;  ///< bytes of whole lines; behind them a write was cut short

  entry_reader header() const { return {head, effnet::path_in_quotes(name) + ", line 1"}; }
  std::vector<entry_reader> entries() const {
    std::vector<entry_reader> made;
    for (const nlohmann::ordered_json& line : lines)
      made.emplace_back(line,
                        effnet::sentence(effnet::path_in_quotes(name), ", line ", made.size() + 2));
    return made;
  }
};

namespace detail {

/// Parses a line; false for what is no object, or one that is deeper or wider than a journal's:
/// the parser's values recurse when they go, and look for a key among all others.
inline bool parse_line(std::string_view line, nlohmann::ordered_json& object) {
  constexpr int most_depth = 8, most_keys = 10'000;
  int keys = 0;
  bool fits = true;
  using event_kind = nlohmann::ordered_json::parse_event_t;
  const auto watch = [&](int depth, event_kind event, nlohmann::ordered_json&) {
    keys += event == event_kind::key;
    fits = fits && depth <= most_depth && keys <= most_keys;
    return fits;
  };
  try {
    object = nlohmann::ordered_json::parse(line, watch);
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  return fits && object.is_object();
}

}  // namespace detail

/// Reads lines of JSON objects, the first of which has "journal": 1. A last line without its end
/// is what a kill leaves behind, and is passed over. Throws `effnet::file_error` for anything else.
inline journal_text parse_journal(std::string_view text, const std::string& name) {
  journal_text read{.name = name, .head = {}, .lines = {}};
  std::size_t number = 0;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    ++number;
    nlohmann::ordered_json object;
    const bool is_object = detail::parse_line(text.substr(begin, end - begin), object);
    if (number == 1 && !(is_object && object.contains("journal") && object["journal"] == 1))
      throw effnet::file_error(effnet::sentence(effnet::path_in_quotes(name),
                                                " is no journal of a search: its first line has no "
                                                "\"journal\": 1"));
    if (!is_object)
      throw effnet::file_error(
          effnet::sentence(effnet::path_in_quotes(name), " is broken: line ", number,
                           " is no JSON object; keep the lines before it (head -n ", number - 1,
                           "), and the search goes on from there"));
    if (number == 1)
      read.head = std::move(object);
    else
      read.lines.push_back(std::move(object));
    read.whole = end + 1;
  }
  if (number == 0)
    throw effnet::file_error(effnet::sentence(effnet::path_in_quotes(name),
                                              " is no journal of a search: it has no whole line"));
  return read;
}

/// An append-only file of lines, each on the disk before the next thing happens. One program writes
/// it at a time.
class journal {
 public:
  /// Throws `effnet::file_error` where a new journal cannot be, as a file is there.
  static void require_new(const std::string& path) {
    if (::access(path.c_str(), F_OK) == 0) throw already_there(path);
  }
  /// A new one.
  static journal created(const std::string& path, nlohmann::ordered_json header) {
    journal made(path, O_CREAT | O_EXCL);
    try {
      made.append(header);
    } catch (...) {
      made.remove();
      throw;
    }
    made.text_.head = std::move(header);
    return made;
  }
  /// To read and go on with.
  static journal opened(const std::string& path) {
    journal made(path, 0);
    made.text_ = read(path);
    if (::ftruncate(made.file_, static_cast<::off_t>(made.text_.whole)) != 0) made.fail("write");
    return made;
  }
  /// To read only.
  static journal_text read(const std::string& path) {
    const effnet::file_mapping file = effnet::map_file(path);
    return parse_journal({reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()},
                         path);
  }

  journal(journal&& from) noexcept
      : path_(std::move(from.path_)),
        file_(std::exchange(from.file_, -1)),
        text_(std::move(from.text_)) {}
  journal& operator=(journal&&) = delete;
  ~journal() {
    if (file_ >= 0) ::close(file_);
  }

  const std::string& path() const { return path_; }
  const journal_text& text() const { return text_; }

  /// Throws `effnet::file_error` where it cannot be written; what was written of it is then
  /// passed over by the next reader.
  void add(nlohmann::ordered_json entry) {
    append(entry);
    text_.lines.push_back(std::move(entry));
  }
  /// Takes it away again, where nothing came of it.
  void remove() { ::unlink(path_.c_str()); }

 private:
  journal(const std::string& path, int flags)
      : path_(path), file_(::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | flags, 0666)) {
    text_.name = path;
    if (file_ < 0 && errno == EEXIST) throw already_there(path);
    if (file_ < 0) fail("open");
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    const bool is_used = errno == EWOULDBLOCK;
    const std::string reason = effnet::detail::reason_of(errno);
    ::close(file_);
    throw effnet::file_error(effnet::sentence(
        effnet::path_in_quotes(path),
        is_used ? " is in use by another search; wait for it" : " cannot be locked: ",
        is_used ? "" : reason));
  }
  static effnet::file_error already_there(const std::string& path) {
    return effnet::file_error(
        effnet::sentence(effnet::path_in_quotes(path),
                         " is already there: choose another --journal, or give --resume to go on "
                         "with the search in it"));
  }
  [[noreturn]] void fail(const char* what) const {
    throw effnet::file_error(effnet::sentence("cannot ", what, ' ', effnet::path_in_quotes(path_),
                                              ": ", effnet::detail::reason_of(errno)));
  }
  void append(const nlohmann::ordered_json& entry) {
    std::string line;
    try {
      line = entry.dump() + "\n";
    } catch (const nlohmann::json::exception&) {
      throw effnet::file_error(
          effnet::sentence("cannot write ", effnet::path_in_quotes(path_),
                           ": a name that goes into it is not UTF-8; rename the file or folder"));
    }
    for (std::size_t done = 0; done < line.size();) {
      const ::ssize_t written = ::write(file_, line.data() + done, line.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("write");
      done += static_cast<std::size_t>(written);
    }
    if (::fsync(file_) != 0) fail("write");
  }

  std::string path_;
  int file_ = -1;
  journal_text text_;
};

}  // namespace example
