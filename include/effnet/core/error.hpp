#pragma once

#include <concepts>
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
inline void append(std::string& to, std::string_view text) {
  to += text;
}
inline void append(std::string& to, char c) {
  to += c;
}
template <class Number>
requires(std::integral<Number> || std::floating_point<Number>) void append(std::string& to,
                                                                           Number value) {
  std::string digits = std::to_string(value);
  if constexpr (std::floating_point<Number>) {  // 0.250000 reads better as 0.25
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
  }
  to += digits;
}
}  // namespace detail

/// Joins words and numbers into one string: the text of an error, mostly.
template <class... Parts>
std::string sentence(const Parts&... parts) {
  std::string text;
  (detail::append(text, parts), ...);
  return text;
}

}  // namespace effnet
