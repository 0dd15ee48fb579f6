#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <effnet/core/error.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/utf8.hpp>

namespace effnet::detail {

/// Walks the little JSON that weight files need: objects, arrays, strings and unsigned integers,
/// strictly (RFC 8259). The caller knows what must come next, so nothing recurses and nothing is
/// stored. Throws `file_error` that names the place.
class json_cursor {
 public:
  /// `where` begins every message: "the header of 'x.safetensors'". Both must outlive the cursor.
  json_cursor(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  /// Whether the next character is `wanted`; takes it if so.
  bool take(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!take(wanted)) fail(sentence("'", wanted, "' expected"));
  }

  /// Nothing but white space may follow.
  void end() {
    skip_space();
    if (at_ != text_.size()) fail("nothing more expected");
  }

  std::string string() {
    expect('"');
    std::string value;
    for (;;) {
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) fail(at_ < text_.size() ? "not valid UTF-8" : "a string does not end");
      const char c = text_[at_];
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a string");
      if (c == '\\') {
        ++at_;
        escape(value);
      } else {
        value.append(text_.substr(at_, length));
        at_ += length;
      }
    }
    ++at_;
    return value;
  }

  /// An integer from 0 to 2^63 - 1, without sign, fraction or exponent.
  std::int64_t integer() {
    skip_space();
    const std::size_t begin = at_;
    std::uint64_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      const auto digit = static_cast<std::uint64_t>(text_[at_] - '0');
      if (value > (static_cast<std::uint64_t>(INT64_MAX) - digit) / 10)
        fail("a number beyond 64 bits");
      value = value * 10 + digit;
    }
    if (at_ == begin) fail("a whole number from 0 expected");
    if (text_[begin] == '0' && at_ > begin + 1) fail("a number with a leading zero");
    if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E'))
      fail("a whole number expected");
    return static_cast<std::int64_t>(value);
  }

  /// `{"key": value, ...}`: calls `member(key)`, which takes the value.
  template <class Member>
  void object(Member&& member) {
    expect('{');
    if (take('}')) return;
    do {
      std::string key = string();
      expect(':');
      member(std::move(key));
    } while (take(','));
    expect('}');
  }

  /// `[value, ...]`: calls `element()`, which takes the value.
  template <class Element>
  void array(Element&& element) {
    expect('[');
    if (take(']')) return;
    do {
      element();
    } while (take(','));
    expect(']');
  }

  [[noreturn]] void fail(std::string_view what) const {
    throw file_error(sentence(where_, " is malformed at byte ", at_, ": ", what));
  }

 private:
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }

  void escape(std::string& value) {
    const char kind = at_ < text_.size() ? text_[at_++] : '\0';
    constexpr std::string_view names = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    if (const std::size_t found = names.find(kind); found != names.npos) {
      value += meanings[found];
      return;
    }
    if (kind != 'u') fail("an unknown escape in a string");
    std::uint32_t code = four_digits();
    if (code >= 0xD800 && code < 0xDC00) {  // first half of a pair
      if (text_.substr(at_, 2) != "\\u") fail("half of a surrogate pair");
      at_ += 2;
      const std::uint32_t low = four_digits();
      if (low < 0xDC00 || low >= 0xE000) fail("half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      fail("half of a surrogate pair");
    }
    append_utf8(value, code);
  }

  std::uint32_t four_digits() {
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      std::uint32_t digit = 0;
      if (c >= '0' && c <= '9')
        digit = static_cast<std::uint32_t>(c - '0');
      else if (c >= 'a' && c <= 'f')
        digit = static_cast<std::uint32_t>(c - 'a') + 10;
      else if (c >= 'A' && c <= 'F')
        digit = static_cast<std::uint32_t>(c - 'A') + 10;
      else
        fail("four hexadecimal digits expected");
      code = code << 4 | digit;
      ++at_;
    }
    return code;
  }

  std::string_view text_, where_;
  std::size_t at_ = 0;
};

/// Appends `text` as a JSON string; throws `file_error` where it is not UTF-8.
inline void append_json(std::string& to, std::string_view text) {
  if (!is_utf8(text))
    throw file_error(sentence("cannot write ", in_quotes(text), ": it is not UTF-8"));
  constexpr std::string_view hex = "0123456789abcdef";
  to += '"';
  for (char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      to += '\\';
      to += c;
    } else if (code < 0x20) {
      to += "\\u00";
      to += hex[code >> 4];
      to += hex[code & 15];
    } else {
      to += c;
    }
  }
  to += '"';
}

}  // namespace effnet::detail
