#pragma once

#include <concepts>
#include <cstddef>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace effnet {

/// Root of everything the library throws on purpose. `what()` is one sentence a user can act on:
/// what, where, expected, got, remedy.
struct error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A network table that cannot be built.
struct spec_error : error {
  using error::error;
};
/// A tensor or image whose extents do not fit where it is used.
struct shape_error : error {
  using error::error;
};
/// A file that cannot be read or written, or whose content is malformed.
struct file_error : error {
  using error::error;
};
/// Weights that do not belong to the network they are loaded into.
struct weight_error : error {
  using error::error;
};
/// An image that cannot be decoded.
struct image_error : error {
  using error::error;
};
/// A backend that cannot run what it is asked for.
struct backend_error : error {
  using error::error;
};

namespace detail {

/// A word or number of a sentence as text, so that joining them is one function and not one for
/// every combination of types: errors would otherwise be most of what a program compiles.
class piece {
 public:
  piece(std::string_view text) : kind_(text_kind), text_(text) {}
  piece(const std::string& text) : kind_(text_kind), text_(text) {}
  piece(const char* text) : kind_(text_kind), text_(text) {}
  piece(char letter) : kind_(letter_kind), integer_(letter) {}
  template <std::integral Number>
  piece(Number value)
      : kind_(std::signed_integral<Number> ? signed_kind : unsigned_kind),
        integer_(static_cast<long long>(value)) {}
  piece(double value) : kind_(real_kind), real_(value) {}
  piece(float value) : piece(static_cast<double>(value)) {}

  void append_to(std::string& sentence) const {
    char digits[32];
    switch (kind_) {
      case text_kind:
        sentence += text_;
        return;
      case letter_kind:
        sentence += static_cast<char>(integer_);
        return;
      case signed_kind:
        std::snprintf(digits, sizeof digits, "%lld", integer_);
        break;
      case unsigned_kind:
        std::snprintf(digits, sizeof digits, "%llu", static_cast<unsigned long long>(integer_));
        break;
      case real_kind:
        std::snprintf(digits, sizeof digits, "%.6g", real_);
        break;
    }
    sentence += digits;
  }

 private:
  enum kind { text_kind, letter_kind, signed_kind, unsigned_kind, real_kind } kind_;
  union {
    std::string_view text_;
    long long integer_;
    double real_;
  };
};

[[gnu::noinline, gnu::cold]] inline std::string join(const piece* pieces, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) pieces[i].append_to(text);
  return text;
}

}  // namespace detail

/// Joins words and numbers into one string: the text of an error, mostly.
template <class... Parts>
std::string sentence(const Parts&... parts) {
  const detail::piece pieces[] = {detail::piece(parts)...};
  return detail::join(pieces, sizeof...(parts));
}

}  // namespace effnet
