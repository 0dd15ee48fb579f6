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
  piece(std::string_view text) : text_(text) {}
  piece(const std::string& text) : text_(text) {}
  piece(const char* text) : text_(text) {}
  piece(char c) : digits_{c}, length_(1) {}
  template <std::integral Number>
  piece(Number value) {
    if constexpr (std::signed_integral<Number>)
      length_ = std::snprintf(digits_, sizeof digits_, "%lld", static_cast<long long>(value));
    else
      length_ =
          std::snprintf(digits_, sizeof digits_, "%llu", static_cast<unsigned long long>(value));
  }
  piece(float value) : piece(static_cast<double>(value)) {}
  piece(double value) { length_ = std::snprintf(digits_, sizeof digits_, "%.6g", value); }

  std::string_view text() const {
    return length_ < 0 ? text_ : std::string_view(digits_, static_cast<std::size_t>(length_));
  }

 private:
  std::string_view text_;
  char digits_[24] = {};
  int length_ = -1;  // of digits; negative: text_ counts
};

[[gnu::noinline, gnu::cold]] inline std::string join(const piece* pieces, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += pieces[i].text();
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
