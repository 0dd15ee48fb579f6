#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <effnet/core/error.hpp>
#include <effnet/core/file_mapping.hpp>
#include <effnet/io/in_quotes.hpp>

namespace effnet {

/// A regular file in a tar: its name, without leading "/" and "./", and its bytes in the archive.
struct tar_entry {
  std::string name;
  std::span<const std::byte> bytes;
};

/// Walks the regular files of an uncompressed tar (POSIX ustar and pax, GNU long names, V7) from
/// front to back. Nothing is copied and nothing is unpacked: names are names only, whatever
/// folders they speak of. Entries stay valid as long as the reader's `owner`; `release_pages(owner,
/// entry.bytes)` drops what was used. Throws `file_error`.
class tar_reader {
 public:
  explicit tar_reader(const std::string& path) : tar_reader(map_file(path), path) {}
  /// From memory; `path` is for messages.
  tar_reader(file_mapping archive, std::string path)
      : owner_(std::move(archive.owner)), bytes_(archive.bytes), path_(std::move(path)) {
    if (bytes_.empty()) throw file_error(sentence(path_in_quotes(path_), " is empty"));
    if (bytes_.size() >= 2 && bytes_[0] == std::byte{0x1F} && bytes_[1] == std::byte{0x8B})
      throw file_error(
          sentence(path_in_quotes(path_), " is compressed with gzip; unpack it to a plain tar"));
  }

  const std::shared_ptr<const void>& owner() const { return owner_; }

  /// The next regular file, or nothing at the archive's end mark.
  std::optional<tar_entry> next() {
    std::string long_name;                   // of the entry that follows
    std::optional<std::uint64_t> long_size;  // from pax, where it is too large for the header
    for (;;) {
      const std::string_view header = text(take(block));
      if (is_zero(header)) return std::nullopt;
      check_sum(header);
      const char type = header[156];
      const bool has_data = type == '0' || type == '\0' || type == '7' || extension(type);
      std::uint64_t size = has_data ? number(header.substr(124, 12)) : 0;
      if (has_data && !extension(type) && long_size) size = *long_size;
      const std::span<const std::byte> data = take(size);
      take(std::min<std::uint64_t>((block - size % block) % block, bytes_.size() - at_));
      if (type == 'L') {
        long_name = until_zero(text(data));
      } else if (type == 'x') {
        read_pax(text(data), long_name, long_size);
      } else if (type == 'S' || type == 'M') {
        fail("holds a sparse or split file; pack it again with tar --format=ustar");
      } else if (has_data && !extension(type)) {
        std::string name = cleaned(long_name.empty() ? name_of(header) : long_name);
        // V7 marks folders by the slash alone
        if (!name.empty() && name.back() != '/') return tar_entry{std::move(name), data};
      }
      if (!extension(type)) long_name.clear(), long_size.reset();
    }
  }

 private:
  static constexpr std::size_t block = 512;

  [[noreturn]] void fail(std::string_view what) const {
    throw file_error(sentence(path_in_quotes(path_), " ", what));
  }
  static std::string_view text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  static std::string_view until_zero(std::string_view field) {
    return field.substr(0, field.find('\0'));
  }
  static bool is_zero(std::string_view bytes) {
    return std::ranges::all_of(bytes, [](char c) { return c == 0; });
  }
  /// Entries that say something about the next one ('g', 'K' say nothing that is needed here).
  static bool extension(char type) {
    return type == 'L' || type == 'K' || type == 'x' || type == 'g';
  }

  std::span<const std::byte> take(std::uint64_t count) {
    if (count > bytes_.size() - at_)
      fail(sentence("is truncated: it ends at byte ", bytes_.size(),
                    at_ == bytes_.size() ? ", before its end mark" : ", within an entry"));
    const std::span<const std::byte> taken = bytes_.subspan(at_, static_cast<std::size_t>(count));
    at_ += taken.size();
    return taken;
  }

  /// Octal digits, or GNU's big-endian binary with the top bit set.
  std::uint64_t number(std::string_view field) const {
    std::uint64_t value = 0;
    if ((field.front() & 0x80) != 0) {
      for (std::size_t i = 0; i < field.size(); ++i) {
        const auto digit = static_cast<unsigned char>(i == 0 ? field[i] & 0x7F : field[i]);
        if (value >> 55 != 0) fail("is damaged: a size beyond 63 bits");
        value = value << 8 | digit;
      }
      return value;
    }
    const std::size_t begin = field.find_first_not_of(' ');
    std::size_t at = begin == field.npos ? field.size() : begin;
    for (; at < field.size() && field[at] >= '0' && field[at] <= '7'; ++at)
      value = value << 3 | static_cast<std::uint64_t>(field[at] - '0');
    if (at < field.size() && field[at] != ' ' && field[at] != '\0')
      fail("is no tar file, or damaged: a number is not octal");
    return value;
  }

  /// The sum of the header's bytes, its own field counted as spaces.
  void check_sum(std::string_view header) const {
    constexpr std::size_t begin = 148, length = 8;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < header.size(); ++i)
      sum += i >= begin && i < begin + length ? std::uint64_t{' '}
                                              : static_cast<unsigned char>(header[i]);
    if (number(header.substr(begin, length)) != sum)
      fail(sentence("is no tar file, or damaged: the header at byte ", at_ - block,
                    " has a wrong sum"));
  }

  static std::string name_of(std::string_view header) {
    std::string name(until_zero(header.substr(0, 100)));
    const std::string_view prefix = until_zero(header.substr(345, 155));
    const bool is_posix = header.substr(257, 6) == std::string_view("ustar\0", 6);
    return is_posix && !prefix.empty() ? sentence(prefix, '/', name) : name;
  }

  static std::string cleaned(std::string_view name) {
    for (;;) {
      if (name.starts_with('/'))
        name.remove_prefix(1);
      else if (name.starts_with("./"))
        name.remove_prefix(2);
      else
        break;
    }
    std::string clean(name);
    for (char& c : clean)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    return clean;
  }

  /// Records "LENGTH KEY=VALUE\n", of which path and size matter.
  void read_pax(std::string_view records, std::string& name,
                std::optional<std::uint64_t>& size) const {
    while (!records.empty()) {
      std::size_t length = 0, digits = 0;
      for (; digits < records.size() && records[digits] >= '0' && records[digits] <= '9'; ++digits)
        length = std::min<std::size_t>(
            length * 10 + static_cast<std::size_t>(records[digits] - '0'), records.size() + 1);
      if (digits == 0 || length < digits + 3 || length > records.size() || records[digits] != ' ' ||
          records[length - 1] != '\n')
        fail("is damaged: a pax record is malformed");
      const std::string_view record = records.substr(digits + 1, length - digits - 2);
      const std::size_t equals = record.find('=');
      const std::string_view key = record.substr(0, equals);
      const std::string_view value = equals == record.npos ? "" : record.substr(equals + 1);
      if (key == "path") name = until_zero(value);
      if (key == "size") size = decimal(value);
      if (key.starts_with("GNU.sparse"))
        fail("holds a sparse file; pack it again with tar --format=ustar");
      records.remove_prefix(length);
    }
  }

  std::uint64_t decimal(std::string_view digits) const {
    std::uint64_t value = 0;
    for (char c : digits) {
      if (c < '0' || c > '9' || value > bytes_.size())
        fail("is damaged: a pax size is no number within the file");
      value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
  }

  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
  std::string path_;
  std::size_t at_ = 0;
};

}  // namespace effnet
