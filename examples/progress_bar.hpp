#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>

namespace example {

/// Shows on stderr how far a job is: a bar with the time left on a terminal, a line for every tenth
/// (but not more than one a second) elsewhere, so that logs stay short.
class progress_bar {
 public:
  progress_bar(std::string unit, std::size_t total, bool shown = true)
      : unit_(std::move(unit)), total_(total), shown_(shown), terminal_(::isatty(2) == 1) {}
  ~progress_bar() { clear(); }
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  void advance(std::size_t by = 1) {
    done_ += by;
    if (!shown_) return;
    const double now = seconds();
    const bool last = done_ >= total_;
    if (terminal_) {
      if (!last && now - drawn_at_ < 0.1) return;
      draw();
    } else {
      const bool tenth = done_ * 10 / total_ > printed_ * 10 / total_;
      if (!last && (!tenth || now - drawn_at_ < 1)) return;
      std::fprintf(stderr, "%s\n", line().c_str());
      printed_ = done_;
    }
    drawn_at_ = now;
  }

  /// Makes room for a message.
  void clear() {
    if (std::exchange(drawn_, false)) std::fputs("\r\033[K", stderr);
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  static std::string clock(double seconds) {
    const auto whole = static_cast<long>(seconds + 0.5);
    char text[32];
    if (whole >= 3600)
      std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60,
                    whole % 60);
    else
      std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
    return text;
  }

  std::string line() const {
    const double now = std::max(1e-9, seconds()), rate = static_cast<double>(done_) / now;
    char text[160];
    std::snprintf(text, sizeof text, "%zu/%zu %s  %3.0f %%  %.1f/s  %s %s", done_, total_,
                  unit_.c_str(), 100.0 * static_cast<double>(done_) / static_cast<double>(total_),
                  rate, done_ < total_ ? "ETA" : "in",
                  clock(done_ < total_ ? static_cast<double>(total_ - done_) / rate : now).c_str());
    return text;
  }

  void draw() {
    ::winsize window{};
    const int columns =
        ::ioctl(2, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 ? window.ws_col : 80;
    const std::string facts = line();
    const int room = std::clamp(columns - static_cast<int>(facts.size()) - 4, 0, 40);
    const auto eighths = static_cast<int>(8 * static_cast<double>(room) *
                                          static_cast<double>(done_) / static_cast<double>(total_));
    static constexpr const char* parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    std::string bar;
    for (int i = 0; i < eighths / 8; ++i) bar += "█";
    bar += parts[eighths % 8];
    bar += std::string(static_cast<std::size_t>(room - eighths / 8 - (eighths % 8 > 0)), ' ');
    std::fprintf(stderr, "\r\033[K%s%s%s%s", room > 0 ? "▕" : "", bar.c_str(), room > 0 ? "▏ " : "",
                 facts.c_str());
    std::fflush(stderr);
    drawn_ = true;
  }

  std::string unit_;
  std::size_t total_, done_ = 0, printed_ = 0;
  bool shown_, terminal_, drawn_ = false;
  double drawn_at_ = -1e9;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace example
