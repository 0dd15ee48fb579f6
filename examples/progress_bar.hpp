#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>

#include "terminal_line.hpp"

namespace example {

/// Shows on stderr how far a job is: a bar with the time left on a terminal, a line for every tenth
/// (but not more than one a second) elsewhere, so that logs stay short.
class progress_bar {
 public:
  progress_bar(std::string unit, std::size_t total, bool shown = true)
      : unit_(std::move(unit)), total_(total), shown_(shown) {}

  void advance(std::size_t by = 1) {
    done_ += by;
    if (!shown_) return;
    const double now = seconds();
    const bool last = done_ >= total_;
    if (line_.is_terminal()) {
      if (!last && now - drawn_at_ < 0.1) return;
      line_.draw(static_cast<double>(done_) / static_cast<double>(total_), facts());
    } else {
      const bool tenth = done_ * 10 / total_ > printed_ * 10 / total_;
      if (!last && (!tenth || now - drawn_at_ < 1)) return;
      line_.print(facts());
      printed_ = done_;
    }
    drawn_at_ = now;
  }

  /// Makes room for a message.
  void clear() { line_.clear(); }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::string facts() const {
    const double now = std::max(1e-9, seconds()), rate = static_cast<double>(done_) / now;
    char text[160];
    std::snprintf(
        text, sizeof text, "%zu/%zu %s  %3.0f %%  %.1f/s  %s %s", done_, total_, unit_.c_str(),
        100.0 * static_cast<double>(done_) / static_cast<double>(total_), rate,
        done_ < total_ ? "ETA" : "in",
        clock_text(done_ < total_ ? static_cast<double>(total_ - done_) / rate : now).c_str());
    return text;
  }

  std::string unit_;
  std::size_t total_, done_ = 0, printed_ = 0;
  bool shown_;
  terminal_line line_;
  double drawn_at_ = -1e9;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace example
