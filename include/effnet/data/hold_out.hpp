#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/core/rng.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/io/image.hpp>

namespace effnet {

/// Some samples of a set, in the order of `indices`. The set must outlive it.
template <data_set Set>
class subset {
 public:
  subset(const Set& whole, std::vector<std::size_t> indices)
      : whole_(&whole), indices_(std::move(indices)) {}

  std::size_t count() const { return indices_.size(); }
  const std::vector<std::string>& classes() const { return whole_->classes(); }
  int label(std::size_t i) const { return whole_->label(indices_[i]); }
  effnet::image image(std::size_t i) const { return whole_->image(indices_[i]); }
  std::string name(std::size_t i) const { return whole_->name(indices_[i]); }
  // What the whole set can do besides.
  std::optional<encoded_image> encoded(std::size_t i) const requires encoded_set<Set> {
    return whole_->encoded(indices_[i]);
  }
  decltype(auto) labels(std::size_t i) const requires multi_label_set<Set> {
    return whole_->labels(indices_[i]);
  }
  std::size_t group(std::size_t i) const requires grouped_set<Set> {
    return whole_->group(indices_[i]);
  }

  /// Number in the whole set.
  std::size_t index(std::size_t i) const { return indices_[i]; }

 private:
  const Set* whole_;
  std::vector<std::size_t> indices_;
};

/// Numbers of the samples to train on and of those held out for validation, each ascending.
struct split {
  std::vector<std::size_t> train, held_out;
};

namespace detail {

/// The same on every machine, as std::hash is not.
inline std::uint64_t name_hash(std::string_view name) {
  std::uint64_t hash = 0;
  for (char c : name) hash = mix64(hash ^ static_cast<unsigned char>(c));
  return hash;
}

}  // namespace detail

/// Holds a fixed tenth out of every class (rounded, at least one sample where there are two): those
/// whose names have the smallest hashes. It depends on names alone, so that neither order, folder
/// nor machine change it, and a few more pictures change little. Throws `error` where no class has
/// two samples.
template <data_set Set>
split hold_out_tenth(const Set& set) {
  struct keyed_sample {
    int label;
    std::uint64_t hash;
    std::size_t index;
    auto operator<=>(const keyed_sample&) const = default;
  };
  std::vector<keyed_sample> order;
  for (std::size_t i = 0; i < set.count(); ++i)
    order.push_back({set.label(i), detail::name_hash(set.name(i)), i});
  std::ranges::sort(order);
  split made;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && order[end].label == order[begin].label) ++end;
    const std::size_t size = end - begin;
    const std::size_t held = size < 2 ? 0 : std::max<std::size_t>(1, (size + 5) / 10);
    for (std::size_t i = begin; i < end; ++i)
      (i - begin < held ? made.held_out : made.train).push_back(order[i].index);
  }
  if (made.held_out.empty())
    throw error(sentence("no tenth of ", set.count(),
                         " pictures can be held out for validation: no class has two; give a "
                         "validation set"));
  std::ranges::sort(made.train);
  std::ranges::sort(made.held_out);
  return made;
}

}  // namespace effnet
