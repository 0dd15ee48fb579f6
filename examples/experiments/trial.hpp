#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <effnet/arch/count.hpp>
#include <effnet/core/error.hpp>

namespace example {

/// A training, by the program `train`.
struct training {
  effnet::network_spec network;
  int size = 0;  ///< image side at the end, pixels
  int epochs = 1;
  /// Of `train`, besides network, size, epochs, data and seed.
  std::vector<std::string> options = {};
  bool on_other_set = false;    ///< on the set's other data
  std::string start_from = {};  ///< name of the trial whose weights it starts from
  bool is_timed = false;        ///< its time is a result: nothing else runs beside it
};

/// The time of an inference, or of a training step's forward and backward pass.
struct timing {
  effnet::network_spec network;
  int size = 0, batch = 1;
  bool of_training = false;
  int threads = 0;  ///< 0: all
};

/// What is run once, and leaves an outcome.
struct trial {
  std::string name;  ///< within its experiment, without the seed
  int seed = 0;      ///< of a timing: the round
  std::variant<training, timing> what;

  bool is_training() const { return std::holds_alternative<training>(what); }
  /// Nothing may run beside it.
  bool runs_alone() const {
    const auto* run = std::get_if<training>(&what);
    return run == nullptr || run->is_timed;
  }
  const effnet::network_spec& network() const {
    return std::visit([](const auto& of) -> const effnet::network_spec& { return of.network; },
                      what);
  }
  /// "stages 1-3, seed 2"
  std::string title() const {
    return effnet::sentence(name, is_training() ? ", seed " : ", round ", seed);
  }
  /// Multiply-adds, about, of data with so many pictures.
  double work(std::size_t pictures) const {
    if (const auto* run = std::get_if<training>(&what))
      return 3.0 * static_cast<double>(effnet::count_macs(run->network, run->size)) * run->epochs *
             static_cast<double>(pictures);
    const timing& of = std::get<timing>(what);
    constexpr double runs = 6;
    return runs * (of.of_training ? 3 : 1) * of.batch *
           static_cast<double>(effnet::count_macs(of.network, of.size));
  }
};

/// A name as that of a folder: letters, digits and single underscores.
inline std::string folder_name(std::string_view name) {
  std::string folder;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-';
    if (plain)
      folder += c;
    else if (!folder.empty() && folder.back() != '_')
      folder += '_';
  }
  return folder;
}

/// A set by the last two parts of its path, which stay where it is moved.
inline std::string set_name(const std::string& path) {
  if (path.find(':') != path.npos || path.empty()) return path;  // "shapes:2000x48" is no path
  std::filesystem::path of = std::filesystem::absolute(path).lexically_normal();
  if (!of.has_filename()) of = of.parent_path();
  return (of.parent_path().filename() / of.filename()).string();
}

}  // namespace example
