#pragma once

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/core/raw_tensor.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/json_cursor.hpp>
#include <effnet/io/safetensors.hpp>

/// A training run at one moment, as one safetensors file.
///
/// Tensors, float32: `values/NAME` for every tensor of the network, `average/NAME` for every one
/// where a moving average is kept, `slot0/NAME`, ... for what the optimizer keeps of every trained
/// tensor; NAME is timm's. Metadata:
///
///   effnet.checkpoint.format     "1"
///   effnet.checkpoint.steps      steps done
///   effnet.checkpoint.optimizer  "rmsprop"
///   effnet.checkpoint.seed       of dropout and stochastic depth
///   effnet.checkpoint.settings   what must be the same to go on, a JSON object of strings
///   effnet.checkpoint.kernels    what must be the same for the same bits, the same
///   effnet.checkpoint.progress   the caller's own, the same
///   effnet.checkpoint.checksum   of all tensors and the entries above

namespace effnet {

/// Named texts in an order that means something.
using named_texts = std::vector<std::pair<std::string, std::string>>;

/// What a checkpoint says besides its tensors.
struct checkpoint_notes {
  named_texts settings = {};  ///< of the run; a run with others cannot go on from it
  named_texts kernels = {};   ///< what else decides the bits: instruction set, threads, versions
  named_texts progress = {};  ///< the caller's: position in the data, best result, ...
};

struct checkpoint {
  state_dict file;
  std::int64_t steps_done = 0;
  std::uint64_t seed = 0;
  std::string optimizer;
  checkpoint_notes notes;
};

namespace detail {

inline constexpr std::string_view checkpoint_prefix = "effnet.checkpoint.";

/// A sum that notices damage, of bytes in their order; not one that withstands intent.
class damage_sum {
 public:
  void add(std::span<const std::byte> bytes) {
    constexpr std::size_t lanes = 4, width = sizeof(std::uint64_t);
    std::size_t at = 0;
    for (; bytes.size() - at >= lanes * width; at += lanes * width)
      for (std::size_t k = 0; k < lanes; ++k) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at + k * width, width);
        take(lanes_[k], word);
      }
    for (; at < bytes.size(); ++at) take(lanes_[0], static_cast<std::uint64_t>(bytes[at]));
    take(lanes_[1], bytes.size());
  }
  void add(std::string_view text) { add(std::as_bytes(std::span(text.data(), text.size()))); }
  std::string text() const {
    std::uint64_t all = 0;
    for (std::uint64_t lane : lanes_) take(all, lane);
    constexpr std::string_view hex = "0123456789abcdef";
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4) digits += hex[all >> shift & 15];
    return digits;
  }

 private:
  static void take(std::uint64_t& lane, std::uint64_t word) {
    lane = std::rotl((lane ^ word) * 0x9E3779B97F4A7C15u, 29);
  }
  std::uint64_t lanes_[4] = {1, 2, 3, 4};
};

inline std::string checksum_of(const state_dict& dict) {
  damage_sum sum;
  for (const auto& [key, value] : dict.metadata) {
    if (key == sentence(checkpoint_prefix, "checksum")) continue;
    sum.add(key);
    sum.add(value);
  }
  for (const auto& [name, tensor] : dict.tensors) {
    sum.add(name);
    sum.add({tensor.data, tensor.bytes()});
  }
  return sum.text();
}

inline std::string texts_object(const named_texts& texts) {
  std::string json = "{";
  for (const auto& [name, value] : texts) {
    if (json.size() > 1) json += ',';
    append_json(json, name);
    json += ':';
    append_json(json, value);
  }
  return json + '}';
}

/// The checkpoint's entries of a file's metadata.
class checkpoint_metadata {
 public:
  explicit checkpoint_metadata(const state_dict& file) : file_(file) {}

  const std::string& text(std::string_view key) const {
    const auto found = file_.metadata.find(sentence(checkpoint_prefix, key));
    if (found == file_.metadata.end())
      throw file_error(sentence(path_in_quotes(file_.path), " is no checkpoint, or damaged: its ",
                                "metadata lacks '", checkpoint_prefix, key, "'"));
    return found->second;
  }
  template <class Number>
  Number number(std::string_view key) const {
    const std::string& digits = text(key);
    Number value{};
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (code != std::errc() || end != digits.data() + digits.size() || std::cmp_less(value, 0))
      throw file_error(sentence("'", checkpoint_prefix, key, "' of ", path_in_quotes(file_.path),
                                " is ", in_quotes(digits), ", expected a number from 0"));
    return value;
  }
  named_texts texts(std::string_view key) const {
    const std::string where =
        sentence("'", checkpoint_prefix, key, "' of ", path_in_quotes(file_.path));
    json_cursor json(text(key), where);
    named_texts found;
    json.object([&](std::string name) { found.emplace_back(std::move(name), json.string()); });
    json.end();
    return found;
  }

 private:
  const state_dict& file_;
};

}  // namespace detail

/// What a file says about the run. Its tensors are looked at when they are used. Throws
/// `file_error` where it is no checkpoint.
inline checkpoint checkpoint_from(state_dict file) {
  checkpoint read;
  read.file = std::move(file);
  const detail::checkpoint_metadata metadata(read.file);
  if (metadata.text("format") != "1")
    throw file_error(sentence(path_in_quotes(read.file.path), " is a checkpoint of format ",
                              in_quotes(metadata.text("format")),
                              ", only 1 is known; it comes from a newer version"));
  read.steps_done = metadata.number<std::int64_t>("steps");
  read.seed = metadata.number<std::uint64_t>("seed");
  read.optimizer = metadata.text("optimizer");
  read.notes.settings = metadata.texts("settings");
  read.notes.kernels = metadata.texts("kernels");
  read.notes.progress = metadata.texts("progress");
  return read;
}

/// Maps and reads a checkpoint, and compares its checksum. Throws `file_error` where there is none,
/// or where it is damaged.
inline checkpoint read_checkpoint(const std::string& path) {
  checkpoint read = checkpoint_from(read_safetensors(path));
  const std::string& expected = detail::checkpoint_metadata(read.file).text("checksum");
  const std::string found = detail::checksum_of(read.file);
  if (found != expected)
    throw file_error(sentence(path_in_quotes(path), " is damaged: its checksum is ", found,
                              ", expected ", in_quotes(expected)));
  return read;
}

}  // namespace effnet
