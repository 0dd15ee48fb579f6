#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/core/file_mapping.hpp>
#include <effnet/io/in_quotes.hpp>

namespace example {

/// The program `train`, which lies beside this one. What it says goes to a file. It ends with this
/// program, however that ends, so that two never write to one folder.
class train_process {
 public:
  /// Throws `effnet::error` where it cannot be started.
  train_process(const std::vector<std::string>& options, std::string log) : log_(std::move(log)) {
    const std::string program =
        (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "train").string();
    if (::access(program.c_str(), X_OK) != 0)
      throw effnet::error(effnet::sentence("cannot run ", effnet::path_in_quotes(program),
                                           ": build the program 'train' too"));
    std::vector<char*> arguments = {const_cast<char*>(program.c_str())};
    for (const std::string& option : options)
      arguments.push_back(const_cast<char*>(option.c_str()));
    arguments.push_back(nullptr);
    const int to = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (to < 0) throw effnet::file_error("cannot write " + effnet::path_in_quotes(log_));
    const ::pid_t parent = ::getpid();
    ::sigset_t all, before;  // no signal reaches the child while it has this program's handlers
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    id_ = ::fork();
    if (id_ == 0) {
      for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) ::signal(signal, SIG_DFL);
      ::sigprocmask(SIG_SETMASK, &before, nullptr);
      ::setpgid(0, 0);  // Ctrl-C is for the parent, which passes it on once
#ifdef __linux__
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);  // it went before it was asked to tell
#endif
      if (::dup2(to, STDOUT_FILENO) < 0 || ::dup2(to, STDERR_FILENO) < 0) ::_exit(126);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    ::close(to);
    if (id_ < 0)
      throw effnet::error(
          effnet::sentence("cannot start a training: ", effnet::detail::reason_of(errno)));
  }
  train_process(const train_process&) = delete;
  train_process& operator=(const train_process&) = delete;
  ~train_process() {
    if (id_ <= 0) return;
    stop();
    ::waitpid(id_, nullptr, 0);
  }

  /// Asks it to write a checkpoint and end.
  void stop() {
    if (!std::exchange(asked_, true) && id_ > 0) ::kill(id_, SIGINT);
  }

  /// Whether it has ended by now. Throws `effnet::error` where it failed of itself.
  bool has_ended() {
    int status = 0;
    const ::pid_t ended = ::waitpid(id_, &status, WNOHANG);
    if (ended == 0) return false;
    id_ = -1;
    if (ended < 0)
      throw effnet::error(
          effnet::sentence("its end was missed: ", effnet::detail::reason_of(errno)));
    if (asked_ || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) return true;
    throw effnet::error(
        WIFSIGNALED(status)
            ? effnet::sentence("killed by signal ", WTERMSIG(status), ", see ",
                               effnet::path_in_quotes(log_))
            : effnet::sentence(last_line(), " (see ", effnet::path_in_quotes(log_), ")"));
  }

 private:
  std::string last_line() const {
    std::ifstream from(log_, std::ios::binary);
    std::string last = "it failed";
    for (std::string line; std::getline(from, line);)
      if (!line.empty()) last = line;
    return last.substr(0, 500);
  }

  std::string log_;
  ::pid_t id_ = -1;
  bool asked_ = false;
};

}  // namespace example
