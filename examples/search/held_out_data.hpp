#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <effnet/data/hold_out.hpp>
#include <effnet/data/open_data_set.hpp>

namespace example {

/// A set whose pictures stay decoded once they were asked for, up to a budget in bytes: networks
/// that are trained one after the other read them again and again.
class decoded_set {
 public:
  decoded_set(effnet::any_data_set under, std::size_t budget)
      : under_(std::move(under)), kept_(std::make_shared<store>(under_.count(), budget)) {}

  std::size_t count() const { return under_.count(); }
  const std::vector<std::string>& classes() const { return under_.classes(); }
  int label(std::size_t i) const { return under_.label(i); }
  std::vector<int> labels(std::size_t i) const { return under_.labels(i); }
  std::string name(std::size_t i) const { return under_.name(i); }
  effnet::image image(std::size_t i) const {
    {
      const std::lock_guard hold(kept_->mutex);
      if (kept_->pictures[i]) return *kept_->pictures[i];
    }
    effnet::image picture = under_.image(i);
    const std::size_t bytes = picture.pixels.size() + sizeof(effnet::image);
    const std::lock_guard hold(kept_->mutex);
    if (!kept_->pictures[i] && bytes <= kept_->left) {
      kept_->left -= bytes;
      kept_->pictures[i] = std::make_unique<const effnet::image>(picture);
    }
    return picture;
  }

 private:
  struct store {
    store(std::size_t count, std::size_t budget) : pictures(count), left(budget) {}
    std::mutex mutex;
    std::vector<std::unique_ptr<const effnet::image>> pictures;
    std::size_t left;
  };

  effnet::any_data_set under_;
  std::shared_ptr<store> kept_;
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
