#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/name_map.hpp>

namespace effnet {

namespace detail {

/// Little-endian integer at `offset`, or nothing beyond the end.
template <class Integer>
std::optional<Integer> read_at(std::span<const std::byte> bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(Integer)) return std::nullopt;
  Integer value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// Where a zip's directory is and how many entries it lists.
struct zip_directory {
  std::uint64_t entries = 0, size = 0, offset = 0;
};

}  // namespace detail

/// The members of a zip file whose content is stored as it is, zip64 included: what PyTorch writes.
/// Nothing is copied; members are ranges of `bytes`. Compressed or encrypted members are refused,
/// since nobody needs them here. Throws `file_error`.
class zip_archive {
 public:
  /// `file` is its name in quotes, for messages.
  zip_archive(std::span<const std::byte> bytes, std::string_view file)
      : bytes_(bytes), file_(file) {
    const detail::zip_directory directory = find_directory();
    if (directory.offset > bytes.size() || directory.size > bytes.size() - directory.offset)
      fail("its directory lies outside the file");
    std::span<const std::byte> rest = bytes.subspan(static_cast<std::size_t>(directory.offset),
                                                    static_cast<std::size_t>(directory.size));
    for (std::uint64_t i = 0; i < directory.entries; ++i) rest = rest.subspan(add_member(rest));
  }

  struct member {
    std::string_view name;
    std::span<const std::byte> content;
  };
  const std::vector<member>& members() const { return members_; }

  /// Null where there is none.
  const member* find(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &members_[found->second];
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw file_error(sentence(file_, " is a damaged zip file: ", what));
  }
  template <class Integer>
  Integer need(std::span<const std::byte> from, std::uint64_t offset) const {
    const std::optional<Integer> value = detail::read_at<Integer>(from, offset);
    if (!value) fail("a record is cut off");
    return *value;
  }

  /// The end record lies in the last 64 KB: 22 bytes and a comment.
  detail::zip_directory find_directory() const {
    constexpr std::uint64_t record = 22, comment = 0xFFFF;
    if (bytes_.size() < record) fail("it is too short");
    const std::uint64_t last = bytes_.size() - record;
    const std::uint64_t first = last > comment ? last - comment : 0;
    for (std::uint64_t at = last + 1; at-- > first;) {
      if (detail::read_at<std::uint32_t>(bytes_, at) != 0x06054b50u) continue;
      detail::zip_directory found{need<std::uint16_t>(bytes_, at + 10),
                                  need<std::uint32_t>(bytes_, at + 12),
                                  need<std::uint32_t>(bytes_, at + 16)};
      if (at >= 20 && detail::read_at<std::uint32_t>(bytes_, at - 20) == 0x07064b50u) {
        const auto wide = need<std::uint64_t>(bytes_, at - 20 + 8);
        if (detail::read_at<std::uint32_t>(bytes_, wide) != 0x06064b50u)
          fail("its zip64 record is not where it should be");
        found = {need<std::uint64_t>(bytes_, wide + 32), need<std::uint64_t>(bytes_, wide + 40),
                 need<std::uint64_t>(bytes_, wide + 48)};
      }
      return found;
    }
    fail("it has no end record; it is truncated");
  }

  /// Adds the first member that `directory` lists; returns the bytes of its entry.
  std::size_t add_member(std::span<const std::byte> directory) {
    if (need<std::uint32_t>(directory, 0) != 0x02014b50u) fail("a directory entry is malformed");
    const auto flags = need<std::uint16_t>(directory, 8);
    const auto method = need<std::uint16_t>(directory, 10);
    std::uint64_t packed = need<std::uint32_t>(directory, 20);
    std::uint64_t size = need<std::uint32_t>(directory, 24);
    const std::size_t name_length = need<std::uint16_t>(directory, 28);
    const std::size_t extra_length = need<std::uint16_t>(directory, 30);
    const std::size_t comment_length = need<std::uint16_t>(directory, 32);
    std::uint64_t local = need<std::uint32_t>(directory, 42);
    constexpr std::size_t fixed = 46;
    const std::size_t length = fixed + name_length + extra_length + comment_length;
    if (directory.size() < length) fail("a directory entry is cut off");
    const std::string_view name(reinterpret_cast<const char*>(directory.data()) + fixed,
                                name_length);
    read_zip64(directory.subspan(fixed + name_length, extra_length), size, packed, local);
    if ((flags & 1) != 0)
      throw file_error(sentence("member ", in_quotes(name), " of ", file_, " is encrypted"));
    if (method != 0 || packed != size)
      throw file_error(sentence("member ", in_quotes(name), " of ", file_,
                                " is compressed; PyTorch stores weights as they are: save them "
                                "again with torch.save"));
    if (need<std::uint32_t>(bytes_, local) != 0x04034b50u)
      fail("a member is not where it should be");
    const std::uint64_t begin = local + 30 + need<std::uint16_t>(bytes_, local + 26) +
                                need<std::uint16_t>(bytes_, local + 28);
    if (begin > bytes_.size() || size > bytes_.size() - begin)
      fail(sentence("member ", in_quotes(name), " lies outside the file"));
    members_.push_back(
        {name, bytes_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size))});
    const bool is_new = index_.emplace(name, members_.size() - 1).second;
    if (!is_new) fail(sentence("member ", in_quotes(name), " is there twice"));
    return length;
  }

  /// Extra field 1 holds, in this order, whichever of the three did not fit into 32 bits.
  void read_zip64(std::span<const std::byte> extra, std::uint64_t& size, std::uint64_t& packed,
                  std::uint64_t& local) const {
    while (extra.size() >= 4) {
      const auto id = need<std::uint16_t>(extra, 0);
      const std::size_t length = need<std::uint16_t>(extra, 2);
      if (extra.size() - 4 < length) fail("an extra field is cut off");
      if (id == 1) {
        const std::span<const std::byte> wide = extra.subspan(4, length);
        std::uint64_t next = 0;
        for (std::uint64_t* field : {&size, &packed, &local}) {
          if (*field != 0xFFFFFFFFu) continue;
          *field = need<std::uint64_t>(wide, next);
          next += 8;
        }
      }
      extra = extra.subspan(4 + length);
    }
  }

  std::span<const std::byte> bytes_;
  std::string_view file_;
  std::vector<member> members_;
  detail::name_map index_;
};

}  // namespace effnet
