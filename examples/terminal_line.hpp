#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>

namespace example {

/// 75 as "1:15", 3675 as "1:01:15".
inline std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  char text[32];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  return text;
}

/// The line on stderr that shows how far a job is: redrawn in place where stderr is a terminal.
class terminal_line {
 public:
  terminal_line() = default;
  ~terminal_line() { clear(); }
  terminal_line(const terminal_line&) = delete;
  terminal_line& operator=(const terminal_line&) = delete;

  bool is_terminal() const { return terminal_; }

  /// A bar, filled to `part` of 1, and `facts` beside it. On a terminal.
  void draw(double part, const std::string& facts) {
    ::winsize window{};
    const int columns =
        ::ioctl(2, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 ? window.ws_col : 80;
    const int room = std::clamp(columns - static_cast<int>(facts.size()) - 4, 0, 40);
    const auto eighths = static_cast<int>(8 * room * std::clamp(part, 0.0, 1.0));
    static constexpr const char* parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    std::string bar;
    for (int i = 0; i < eighths / 8; ++i) bar += "█";
    bar += parts[eighths % 8];
    bar += std::string(static_cast<std::size_t>(room - eighths / 8 - (eighths % 8 > 0)), ' ');
    std::fprintf(stderr, "\r\033[K%s%s%s%s", room > 0 ? "▕" : "", bar.c_str(), room > 0 ? "▏ " : "",
                 facts.substr(0, static_cast<std::size_t>(std::max(1, columns - 1))).c_str());
    std::fflush(stderr);
    drawn_ = true;
  }

  /// A line of its own.
  void print(const std::string& text) {
    clear();
    std::fprintf(stderr, "%s\n", text.c_str());
  }

  /// Makes room for a message.
  void clear() {
    if (std::exchange(drawn_, false)) std::fputs("\r\033[K", stderr);
  }

 private:
  bool terminal_ = ::isatty(2) == 1, drawn_ = false;
};

}  // namespace example
