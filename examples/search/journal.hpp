#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/core/error.hpp>
#include <effnet/core/file_mapping.hpp>
#include <effnet/io/atomic_file.hpp>
#include <effnet/io/in_quotes.hpp>

namespace example {

/// What has been written so far: a header that says what it is about, then an entry a line.
struct journal_text {
  nlohmann::ordered_json header;
  std::vector<nlohmann::ordered_json> entries;
  std::size_t whole = 0;  ///< bytes of whole lines; behind them a write was cut short
};

/// Reads lines of JSON objects, the first of which has "journal": 1. A last line without its end
/// is what a kill leaves behind, and is passed over. `name` is for messages. Throws
/// `effnet::file_error` for anything else.
inline journal_text parse_journal(std::string_view text, const std::string& name) {
  constexpr int most_depth = 8;  // the parser's values recurse when they go
  journal_text read;
  std::size_t number = 0;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    ++number;
    const std::string_view line = text.substr(begin, end - begin);
    nlohmann::ordered_json object;
    bool is_fine = true;
    try {
      object = nlohmann::ordered_json::parse(
          line, [&](int depth, nlohmann::ordered_json::parse_event_t, nlohmann::ordered_json&) {
            if (depth > most_depth) is_fine = false;
            return depth <= most_depth;
          });
    } catch (const nlohmann::json::exception&) {
      is_fine = false;
    }
    const bool is_object = is_fine && object.is_object();
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
      read.header = std::move(object);
    else
      read.entries.push_back(std::move(object));
    read.whole = end + 1;
  }
  if (number == 0)
    throw effnet::file_error(effnet::sentence(effnet::path_in_quotes(name),
                                              " is no journal of a search: it has no whole line"));
  return read;
}

/// A value of a header or an entry. Throws `effnet::file_error` where it is not there, or no `T`.
template <class T>
T value_of(const nlohmann::ordered_json& object, const char* key, const std::string& name) {
  try {
    return object.at(key).get<T>();
  } catch (const nlohmann::json::exception&) {
    throw effnet::file_error(effnet::sentence(
        effnet::path_in_quotes(name), " is broken: ",
        object.contains(key) ? "it has something else as" : "an entry lacks", " \"", key, "\""));
  }
}

/// The same for a whole number from `least` to `most`.
inline int whole_number(const nlohmann::ordered_json& object, const char* key, int least, int most,
                        const std::string& name) {
  const auto found = value_of<double>(object, key, name);
  if (!(found >= least && found <= most && found == std::floor(found)))
    throw effnet::file_error(effnet::sentence(effnet::path_in_quotes(name), " is broken: \"", key,
                                              "\" is ", found, ", expected a whole number from ",
                                              least, " to ", most));
  return static_cast<int>(found);
}

/// An append-only file of lines, each on the disk before the next thing happens. One program writes
/// it at a time.
class journal {
 public:
  /// A new one; throws `effnet::file_error` where the file is already there.
  static journal created(const std::string& path, nlohmann::ordered_json header) {
    if (::access(path.c_str(), F_OK) == 0)
      throw effnet::file_error(
          effnet::sentence(effnet::path_in_quotes(path),
                           " is already there: choose another --journal, or give --resume to go on "
                           "with the search in it"));
    effnet::atomic_file file(path);
    file.write(header.dump() + "\n");
    file.commit();
    return opened(path);
  }
  /// To read and go on with.
  static journal opened(const std::string& path) {
    journal made;
    made.path_ = path;
    made.file_ = ::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
    if (made.file_ < 0)
      throw effnet::file_error(effnet::sentence("cannot open ", effnet::path_in_quotes(path), ": ",
                                                effnet::detail::reason_of(errno)));
    if (::flock(made.file_, LOCK_EX | LOCK_NB) != 0)
      throw effnet::file_error(effnet::sentence(effnet::path_in_quotes(path),
                                                " is in use by another search; wait for it"));
    made.text_ = read(path);
    if (::ftruncate(made.file_, static_cast<::off_t>(made.text_.whole)) != 0) made.fail();
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
  const nlohmann::ordered_json& header() const { return text_.header; }
  const std::vector<nlohmann::ordered_json>& entries() const { return text_.entries; }

  /// Throws `effnet::file_error` where it cannot be written; what was written of it is then
  /// passed over by the next reader.
  void add(nlohmann::ordered_json entry) {
    const std::string line = entry.dump() + "\n";
    for (std::size_t done = 0; done < line.size();) {
      const ::ssize_t written = ::write(file_, line.data() + done, line.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      done += static_cast<std::size_t>(written);
    }
    if (::fsync(file_) != 0) fail();
    text_.entries.push_back(std::move(entry));
  }

 private:
  journal() = default;
  [[noreturn]] void fail() const {
    throw effnet::file_error(effnet::sentence("cannot write ", effnet::path_in_quotes(path_), ": ",
                                              effnet::detail::reason_of(errno)));
  }

  std::string path_;
  int file_ = -1;
  journal_text text_;
};

}  // namespace example
