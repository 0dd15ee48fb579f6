#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <vector>

#include <effnet/io/image.hpp>

namespace effnet {

/// Pictures with their classes, by number: what a loader draws its batches from. Everything is
/// const and safe on several threads at once, and sample i is the same whenever it is asked for.
///   - `count()`: how many samples, at least 1,
///   - `classes()`: the name of every class, by label,
///   - `label(i)`: the class of sample i, in [0, classes().size()),
///   - `image(i)`: its picture; throws `image_error` or `file_error` where it cannot be had, which
///     says nothing of the other samples,
///   - `name(i)`: what to call the sample in a message; the same wherever the set is stored.
template <class Set>
concept data_set = requires(const Set& set, std::size_t i) {
  { set.count() } -> std::same_as<std::size_t>;
  { set.classes() } -> std::convertible_to<const std::vector<std::string>&>;
  { set.label(i) } -> std::same_as<int>;
  { set.image(i) } -> std::same_as<image>;
  { set.name(i) } -> std::convertible_to<std::string>;
};

/// A picture's file, JPEG or PNG.
struct encoded_image {
  std::shared_ptr<const void> owner;  ///< of the bytes; a mapping's lets `release_pages` drop them
  std::span<const std::byte> bytes;
  std::string name;  ///< for messages
};

/// A set that can give the file of a picture instead of the picture, so that it is decoded only as
/// large as it is needed: `encoded(i)`, which throws as `image(i)` does, and is empty where there
/// is no file.
template <class Set>
concept encoded_set = data_set<Set> && requires(const Set& set, std::size_t i) {
  { set.encoded(i) } -> std::same_as<std::optional<encoded_image>>;
};

/// A set whose samples may have several classes: `labels(i)`, of which `label(i)` is the first.
template <class Set>
concept multi_label_set = data_set<Set> && requires(const Set& set, std::size_t i) {
  { set.labels(i) } -> std::ranges::input_range;
};

/// A set that is stored in parts, each best read in one go: `group(i)`, counted from 0.
template <class Set>
concept grouped_set = data_set<Set> && requires(const Set& set, std::size_t i) {
  { set.group(i) } -> std::convertible_to<std::size_t>;
};

/// How many samples each class has, by label.
template <data_set Set>
std::vector<std::size_t> class_counts(const Set& set) {
  std::vector<std::size_t> counts(set.classes().size());
  for (std::size_t i = 0; i < set.count(); ++i) ++counts[static_cast<std::size_t>(set.label(i))];
  return counts;
}

/// The two parts in which public data sets come.
enum class set_part { train, test };

}  // namespace effnet
