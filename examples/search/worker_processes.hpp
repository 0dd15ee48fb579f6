#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/core/file_mapping.hpp>

#include "search/training_task.hpp"
#include "training/interruption.hpp"

namespace example {

/// Somebody pressed Ctrl-C.
struct interrupted : effnet::error {
  using effnet::error::error;
};

/// This program once more, as a worker: lines go in, lines come out. It ends with its parent,
/// however that ends.
class worker_process {
 public:
  worker_process() {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0) fail("make a pipe for");
    if (::pipe2(out, O_CLOEXEC) != 0) {
      ::close(in[0]), ::close(in[1]);
      fail("make a pipe for");
    }
    const ::pid_t parent = ::getpid();
    id_ = ::fork();
    if (id_ == 0) {
#ifdef __linux__
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);  // it went before it was asked to tell
#endif
      ::signal(SIGINT, SIG_IGN);  // Ctrl-C is for the parent, which ends its workers
      if (::dup2(in[0], STDIN_FILENO) < 0 || ::dup2(out[1], STDOUT_FILENO) < 0) ::_exit(126);
      ::execl("/proc/self/exe", "search", "worker", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(in[0]), ::close(out[1]);
    to_ = in[1], from_ = out[0];
    if (id_ >= 0) return;
    ::close(to_), ::close(from_);
    fail("start");
  }
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;
  ~worker_process() {
    ::close(to_), ::close(from_);
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }

  int output() const {
    return from_;
  }
  void send(std::string line) {
    line += '\n';
    for (std::size_t done = 0; done < line.size();) {
      const ::ssize_t written = ::write(to_, line.data() + done, line.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw ended();
      done += static_cast<std::size_t>(written);
    }
  }
  /// A whole line, if there is one by now.
  std::optional<std::string> line() {
    char bytes[4096];
    const ::ssize_t count = ::read(from_, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) return std::nullopt;
    if (count <= 0) throw ended();
    read_.append(bytes, static_cast<std::size_t>(count));
    const std::size_t end = read_.find('\n');
    if (end == read_.npos) return std::nullopt;
    std::string line = read_.substr(0, end);
    read_.erase(0, end + 1);
    return line;
  }

 private:
  [[noreturn]] static void fail(const char* what) {
    throw effnet::error(
        effnet::sentence("cannot ", what, " a worker process: ", effnet::detail::reason_of(errno)));
  }
  effnet::error ended() {
    int status = 0;
    ::waitpid(std::exchange(id_, -1), &status, 0);
    return effnet::error(effnet::sentence(
        "a worker process ended (",
        WIFSIGNALED(status) ? effnet::sentence("killed by signal ", WTERMSIG(status))
                            : effnet::sentence("status ", WEXITSTATUS(status)),
        "); what was done before is in the journal: go on with --resume, with fewer --workers "
        "where memory was short"));
  }

  ::pid_t id_ = -1;
  int to_ = -1, from_ = -1;
  std::string read_;
};

/// Trains networks on several processes at once.
class worker_pool {
 public:
  /// They share the memory that `how` has for pictures.
  worker_pool(std::size_t count, short_training how) : count_(count), how_(std::move(how)) {
    how_.cache /= static_cast<double>(count);
    ::signal(SIGPIPE, SIG_IGN);  // a worker that is gone is told by `write`
  }

  /// Calls `take(training_outcome)` for each task as soon as it is done, in whatever order that is.
  /// Throws `interrupted`, what `take` throws, and `effnet::error` where a task or a worker fails;
  /// the pool is of no more use then.
  template <class Take>
  void run(std::deque<training_task> tasks, const interruption& asked, Take&& take) {
    std::size_t busy = 0;
    while (!tasks.empty() || busy > 0) {
      if (asked.asked()) throw interrupted("interrupted");
      for (std::size_t i = 0; i < count_ && !tasks.empty(); ++i) {
        if (i == workers_.size()) start();
        if (workers_[i]->is_busy) continue;
        workers_[i]->process.send(json_of(tasks.front()).dump());
        workers_[i]->is_busy = true;
        tasks.pop_front();
        ++busy;
      }
      std::vector<::pollfd> outputs;
      for (const auto& one : workers_) outputs.push_back({one->process.output(), POLLIN, 0});
      const int ready = ::poll(outputs.data(), outputs.size(), 200);
      if (ready <= 0) continue;
      for (std::size_t i = 0; i < workers_.size(); ++i) {
        if (outputs[i].revents == 0) continue;
        const std::optional<std::string> line = workers_[i]->process.line();
        if (!line) continue;
        training_outcome made = training_outcome_from(nlohmann::ordered_json::parse(*line));
        workers_[i]->is_busy = false;
        --busy;
        if (!made.problem.empty()) throw effnet::error(made.problem);
        take(made);
      }
    }
  }

 private:
  struct worker {
    worker_process process;
    bool is_busy = false;
  };

  void start() {
    workers_.push_back(std::make_unique<worker>());
    workers_.back()->process.send(json_of(how_).dump());
  }

  std::size_t count_;
  short_training how_;
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace example
