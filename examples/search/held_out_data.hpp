#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <effnet/data/hold_out.hpp>
#include <effnet/data/open_data_set.hpp>
#include <effnet/data/picture_cache.hpp>

namespace example {

/// A set whose pictures stay decoded once they were asked for, up to a budget in bytes: networks
/// that are trained one after the other read them again and again, each with a loader of its own.
class decoded_set {
 public:
  decoded_set(effnet::any_data_set under, std::size_t budget)
      : under_(std::move(under)),
        kept_(std::make_shared<effnet::picture_cache>(budget, under_.count())) {}

  std::size_t count() const { return under_.count(); }
  const std::vector<std::string>& classes() const { return under_.classes(); }
  int label(std::size_t i) const { return under_.label(i); }
  std::vector<int> labels(std::size_t i) const { return under_.labels(i); }
  std::size_t group(std::size_t i) const { return under_.group(i); }
  std::string name(std::size_t i) const { return under_.name(i); }
  effnet::image image(std::size_t i) const {
    constexpr int whole = 1;  // not reduced
    if (const auto kept = kept_->find(i, whole)) return *kept;
    return *kept_->keep(i, whole, under_.image(i));
  }

 private:
  effnet::any_data_set under_;
  std::shared_ptr<effnet::picture_cache> kept_;
};

/// The pictures that networks of a study are trained on, and the tenth that is held out.
struct held_out_data {
  effnet::any_data_set train, held_out;
};

/// Throws `effnet::error` for data of fewer than two classes.
inline held_out_data open_held_out(const std::string& name) {
  const effnet::any_data_set all = effnet::open_data_set(name);
  if (all.classes().size() < 2)
    throw effnet::error(effnet::sentence("the data ", effnet::path_in_quotes(name),
                                         " have one class only; there is nothing to learn"));
  const effnet::split parts = effnet::hold_out_tenth(all);
  return {all.part(parts.train), all.part(parts.held_out)};
}

}  // namespace example
