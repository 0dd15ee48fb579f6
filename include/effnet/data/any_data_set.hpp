#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/io/image.hpp>

namespace effnet {

/// Any `data_set`, chosen when the program runs. A copy costs nothing and shares the set. What a
/// set may have besides (files, several labels, groups, warnings) comes through; where it lacks it,
/// there is no file, one label, one group, nothing to warn of.
class any_data_set {
 public:
  template <data_set Set>
  requires(!std::same_as<Set, any_data_set>) any_data_set(Set set)
      : set_(std::make_shared<const held<Set>>(std::move(set))) {}

  std::size_t count() const { return set_->count(); }
  const std::vector<std::string>& classes() const { return set_->classes(); }
  int label(std::size_t i) const { return set_->label(i); }
  effnet::image image(std::size_t i) const { return set_->image(i); }
  std::string name(std::size_t i) const { return set_->name(i); }
  std::optional<encoded_image> encoded(std::size_t i) const { return set_->encoded(i); }
  std::vector<int> labels(std::size_t i) const { return set_->labels(i); }
  std::size_t group(std::size_t i) const { return set_->group(i); }
  /// Files that were passed over since they are no pictures.
  std::size_t ignored() const { return set_->ignored(); }
  /// What was odd when the set was opened, a sentence each.
  std::vector<std::string> warnings() const { return set_->warnings(); }

  /// Some of its samples, in this order. Throws `error` for numbers that it does not have.
  any_data_set part(std::vector<std::size_t> indices) const;
  /// The same with other names for its classes. Throws `error` where they are not as many.
  any_data_set with_class_names(std::vector<std::string> names) const;

 private:
  struct interface {
    interface() = default;
    interface(const interface&) = delete;
    interface& operator=(const interface&) = delete;
    virtual ~interface() = default;
    virtual std::size_t count() const = 0;
    virtual const std::vector<std::string>& classes() const = 0;
    virtual int label(std::size_t i) const = 0;
    virtual effnet::image image(std::size_t i) const = 0;
    virtual std::string name(std::size_t i) const = 0;
    virtual std::optional<encoded_image> encoded(std::size_t i) const = 0;
    virtual std::vector<int> labels(std::size_t i) const = 0;
    virtual std::size_t group(std::size_t i) const = 0;
    virtual std::size_t ignored() const = 0;
    virtual std::vector<std::string> warnings() const = 0;
  };

  template <class Set>
  struct held final : interface {
    Set set;

    explicit held(Set s) : set(std::move(s)) {}
    std::size_t count() const override { return set.count(); }
    const std::vector<std::string>& classes() const override { return set.classes(); }
    int label(std::size_t i) const override { return set.label(i); }
    effnet::image image(std::size_t i) const override { return set.image(i); }
    std::string name(std::size_t i) const override { return set.name(i); }
    std::optional<encoded_image> encoded([[maybe_unused]] std::size_t i) const override {
      if constexpr (encoded_set<Set>)
        return set.encoded(i);
      else
        return std::nullopt;
    }
    std::vector<int> labels(std::size_t i) const override {
      if constexpr (multi_label_set<Set>) {
        const auto all = set.labels(i);
        return {all.begin(), all.end()};
      } else {
        return {set.label(i)};
      }
    }
    std::size_t group([[maybe_unused]] std::size_t i) const override {
      if constexpr (grouped_set<Set>)
        return set.group(i);
      else
        return 0;
    }
    std::size_t ignored() const override {
      if constexpr (requires { set.ignored(); })
        return set.ignored();
      else
        return 0;
    }
    std::vector<std::string> warnings() const override {
      if constexpr (requires { set.warnings(); })
        return set.warnings();
      else
        return {};
    }
  };

  std::shared_ptr<const interface> set_;
};

namespace detail {

/// A part that keeps its whole alive.
struct any_part {
  any_data_set whole;
  std::vector<std::size_t> indices;

  std::size_t count() const { return indices.size(); }
  const std::vector<std::string>& classes() const { return whole.classes(); }
  int label(std::size_t i) const { return whole.label(indices[i]); }
  effnet::image image(std::size_t i) const { return whole.image(indices[i]); }
  std::string name(std::size_t i) const { return whole.name(indices[i]); }
  std::optional<encoded_image> encoded(std::size_t i) const { return whole.encoded(indices[i]); }
  std::vector<int> labels(std::size_t i) const { return whole.labels(indices[i]); }
  std::size_t group(std::size_t i) const { return whole.group(indices[i]); }
};

struct renamed_classes {
  any_data_set under;
  std::vector<std::string> names;

  std::size_t count() const { return under.count(); }
  const std::vector<std::string>& classes() const { return names; }
  int label(std::size_t i) const { return under.label(i); }
  effnet::image image(std::size_t i) const { return under.image(i); }
  std::string name(std::size_t i) const { return under.name(i); }
  std::optional<encoded_image> encoded(std::size_t i) const { return under.encoded(i); }
  std::vector<int> labels(std::size_t i) const { return under.labels(i); }
  std::size_t group(std::size_t i) const { return under.group(i); }
  std::size_t ignored() const { return under.ignored(); }
  std::vector<std::string> warnings() const { return under.warnings(); }
};

}  // namespace detail

inline any_data_set any_data_set::with_class_names(std::vector<std::string> names) const {
  if (names.size() != classes().size())
    throw error(
        sentence("a set of ", classes().size(), " classes cannot take ", names.size(), " names"));
  return detail::renamed_classes{*this, std::move(names)};
}

inline any_data_set any_data_set::part(std::vector<std::size_t> indices) const {
  for (std::size_t i : indices)
    if (i >= count()) throw error(sentence("a set of ", count(), " samples has no sample ", i));
  return detail::any_part{*this, std::move(indices)};
}

static_assert(encoded_set<any_data_set> && multi_label_set<any_data_set> &&
              grouped_set<any_data_set>);

}  // namespace effnet
