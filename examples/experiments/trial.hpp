#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/arch/count.hpp>
#include <effnet/core/error.hpp>
#include <effnet/io/spec_table.hpp>

namespace example {

/// A training, by the program `train`.
struct training {
  effnet::network_spec network;
  int size = 0;  ///< image side at the end, pixels
  int epochs = 1;
  std::vector<std::string> options =
      {};                           ///< of `train`, besides network, size, epochs, data and seed
  std::string data = {}, val = {};  ///< other than the set's
  std::string start_from = {};      ///< name of the trial whose weights it starts from
  bool is_timed = false;            ///< its time is a result: nothing else runs beside it
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
  int seed = 0;
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
    return is_training() ? effnet::sentence(name, ", seed ", seed) : name;
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
  const std::filesystem::path of(path);
  return (of.parent_path().filename() / of.filename()).string();
}

/// All that an outcome depends on besides the machine.
inline nlohmann::ordered_json json_of(const trial& of, const std::string& data,
                                      const std::string& val) {
  nlohmann::ordered_json json = {{"name", of.name}, {"seed", of.seed}};
  json["network"] = nlohmann::ordered_json::parse(effnet::spec_to_json(of.network()));
  if (const auto* run = std::get_if<training>(&of.what)) {
    json["size"] = run->size, json["epochs"] = run->epochs, json["options"] = run->options;
    json["data"] = set_name(run->data.empty() ? data : run->data);
    json["val"] = set_name(run->data.empty() ? val : run->val);
    if (!run->start_from.empty()) json["start_from"] = run->start_from;
  } else {
    const timing& t = std::get<timing>(of.what);
    json["size"] = t.size, json["batch"] = t.batch, json["threads"] = t.threads;
    json["pass"] = t.of_training ? "forward and backward" : "inference";
  }
  return json;
}

}  // namespace example
