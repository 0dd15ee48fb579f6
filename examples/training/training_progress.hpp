#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "terminal_line.hpp"

namespace example {

/// Shows on stderr where training is: a bar over the whole run on a terminal, elsewhere a line at
/// every twentieth of the work or minute, so that logs stay short.
class training_progress {
 public:
  struct moment {
    std::int64_t step = 0, steps = 0;  ///< done, and of the run
    double epoch = 0;
    int stage = 1, stages = 1, size = 0;
    double loss = 0, images_per_second = 0, waited = 0;
    double done = 0;          ///< part of the run's work
    double seconds_left = 0;  ///< 0: not known yet
  };

  explicit training_progress(bool shown = true) : shown_(shown) {}

  void show(const moment& now) {
    if (!shown_) return;
    const auto time = std::chrono::steady_clock::now();
    const double since = std::chrono::duration<double>(time - shown_at_).count();
    const bool last = now.step >= now.steps;
    if (line_.is_terminal()) {
      if (!last && since < 0.1) return;
      line_.draw(now.done, text(now));
    } else {
      const bool far = static_cast<int>(now.done * 20) > static_cast<int>(printed_ * 20);
      if (!last && !(far && since >= 1) && since < 60) return;
      line_.print(text(now));
      printed_ = now.done;
    }
    shown_at_ = time;
  }

  /// A line that stays.
  void tell(const std::string& text) {
    if (shown_) line_.print(text);
  }
  /// Makes room for a message.
  void clear() { line_.clear(); }

 private:
  static std::string text(const moment& now) {
    char text[200];
    std::snprintf(
        text, sizeof text,
        "%lld/%lld  epoch %.1f  stage %d/%d %d px  loss %.3f  %.1f images/s  data %.0f %%  "
        "%s",
        static_cast<long long>(now.step), static_cast<long long>(now.steps), now.epoch, now.stage,
        now.stages, now.size, now.loss, now.images_per_second, 100 * now.waited,
        now.step < now.steps ? ("ETA " + clock_text(now.seconds_left)).c_str() : "");
    return text;
  }

  bool shown_;
  terminal_line line_;
  double printed_ = 0;
  std::chrono::steady_clock::time_point shown_at_ = std::chrono::steady_clock::now();
};

}  // namespace example
