#pragma once

#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <effnet/core/error.hpp>

#include "version.hpp"

/// What the example programs share.
namespace example {

/// Exit statuses of every program.
enum exit_status : int { succeeded = 0, failed = 1, wrong_usage = 2 };

/// Options that are each fine but do not go together.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Numbers that an option takes; its help shows the type name alone.
inline CLI::Validator between(int least, int most) {
  return CLI::Range(least, most).description("");
}

/// An option that takes one of `words`.
inline CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& chosen,
                               const std::vector<std::string>& words, const std::string& text) {
  return app.add_option(name, chosen, text)
      ->check(CLI::IsMember(words).description(""))
      ->type_name(CLI::detail::join(words, "|"));
}

/// A program: its options, and `run`, which turns everything that can go wrong into one sentence on
/// stderr and an exit status. Results go to stdout, all else to stderr.
class program {
 public:
  program(std::string name, const std::string& purpose, const std::string& examples)
      : options(purpose, name), name_(std::move(name)) {
    options.footer("Examples:\n" + examples);
    options.set_help_flag("-h,--help", "Print this help and exit");
    options.set_version_flag(
        "--version", [this] { return version_text(name_); },
        "Print the versions of program, libraries and processor and exit");
    options.get_formatter()->column_width(34);
  }

  CLI::App options;

  /// Parses, then calls `body()`, which returns the exit status.
  template <class Body>
  int run(int argc, char** argv, Body&& body) {
    try {
      options.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
      if (e.get_exit_code() == 0) return options.exit(e);  // --help, --version
      report(e.what() + (" (see " + name_ + " --help)"));
      return wrong_usage;
    }
    try {
      const int status = body();
      if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
      report("cannot write the results to standard output: is the disk full?");
    } catch (const usage_error& e) {
      report(e.what() + (" (see " + name_ + " --help)"));
      return wrong_usage;
    } catch (const std::bad_alloc&) {
      report(
          "there is not enough memory for this; use a smaller image size or batch, or close "
          "other programs");
    } catch (const std::exception& e) {
      report(e.what());
    }
    return failed;
  }

  /// One line on stderr, after the program's name.
  void report(const std::string& sentence) const {
    std::fflush(stdout);  // keeps the order where both go to one terminal
    std::fprintf(stderr, "%s: %s\n", name_.c_str(), sentence.c_str());
  }

 private:
  std::string name_;
};

}  // namespace example
