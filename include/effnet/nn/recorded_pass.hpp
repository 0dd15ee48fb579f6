#pragma once

#include <optional>

#include <effnet/backend/backend.hpp>

namespace effnet {

/// A pass that asks the backend for the same every time: run as it is the first time, so that
/// whatever is loaded or set up on first use is there, recorded the second time, and from then on
/// replayed. `Key` is all that its calls were given beside their shapes, such as places in memory;
/// with another one it begins anew.
template <records_graphs B, class Key>
class recorded_pass {
 public:
  /// `body` runs as it is or while it is recorded, or not at all.
  template <class Body>
  void run(const B& on, const Key& key, const Body& body) {
    if (key_ != key) {
      graph_.reset();
      key_.reset();
      body();
      key_ = key;
      return;
    }
    if (!graph_) graph_.emplace(on.record(body));
    on.replay(*graph_);
  }

 private:
  std::optional<Key> key_;
  std::optional<typename B::graph> graph_;
};

}  // namespace effnet
