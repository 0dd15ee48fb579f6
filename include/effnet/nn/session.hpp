#pragma once

#include <algorithm>
#include <concepts>
#include <list>
#include <memory>
#include <string_view>
#include <utility>

#include <effnet/nn/grouped_plan.hpp>
#include <effnet/nn/session_graph.hpp>

namespace effnet {

struct session_options {
  int threads = 0;        ///< 0: as many as the backend may use
  bool features = false;  ///< keep the last map of every reduction level
  int plans = 4;          ///< image sizes and batches that stay planned; the oldest goes first
};

/// Runs a loaded network. One thread uses a session at a time; any number of sessions of a network
/// run at once, and agree bit for bit at equal thread counts. The first run at a size and batch
/// plans it; later ones allocate nothing. Where the backend records graphs, the second one records
/// what the later ones replay; observed runs are not recorded.
template <backend B>
class session {
 public:
  static constexpr int smallest_side = 32;

  session(std::shared_ptr<const network_state<B>> of, const session_options& options)
      : state_(std::move(of)),
        backend_(state_->device().with_threads(options.threads)),
        options_(options) {}

  /// Logits of NHWC images of at least 32 x 32 pixels, normalised as the network's convention says
  /// (`network.rule()`). Throws `shape_error` for other shapes.
  const outputs& run(const_tensor_view images) { return run(images, options_.features, nobody{}); }

  /// The same, calling `observe(name, map)` after "stem", "block00" ... and "head". The map holds
  /// only during the call.
  template <class Observer>
  const outputs& run(const_tensor_view images, const Observer& observe) {
    return run(images, true, observe);
  }

  const B& device() const { return backend_; }
  /// Bytes of activations and scratch that this session holds.
  std::size_t memory_bytes() const { return arena_.bytes() + scratch_.bytes(); }

 private:
  /// Observes nothing.
  struct nobody {
    void operator()(std::string_view, const const_tensor_view&) const {}
  };
  struct planned_run : grouped_plan<B> {
    using grouped_plan<B>::grouped_plan;
    [[no_unique_address]] session_graph<B> graph = {};
  };

  template <class Observer>
  const outputs& run(const_tensor_view images, bool whole, const Observer& observe) {
    check(images);
    const auto scope = backend_.enter();
    planned_run& plan = planned(images.shape, whole);
    // Not once a plan: where memory ran out before, no plan has what it needs.
    grow(scratch_, plan.scratch_bytes());
    if constexpr (records_graphs<B> && std::same_as<Observer, nobody>)
      if (backend_.records()) {
        grow(arena_, plan.graph.arena_bytes(plan));
        plan.graph.run(backend_, plan, {arena_.data(), scratch_.data(), images.data}, outputs_);
        return outputs_;
      }
    grow(arena_, plan.arena_bytes());
    plan.run(backend_, {arena_.data(), scratch_.data(), images.data}, outputs_, observe);
    return outputs_;
  }

  void check(const const_tensor_view& images) const {
    const shape4& s = images.shape;
    const int channels = state_->spec().in_channels;
    if (s.n < 1 || s.h < smallest_side || s.w < smallest_side || s.c != channels)
      throw shape_error(sentence("network '", std::string_view(state_->spec().name),
                                 "' takes images of shape [n >= 1, h >= ", smallest_side,
                                 ", w >= ", smallest_side, ", ", channels, "] (NHWC), but got ",
                                 to_string(s)));
    if (images.data == nullptr)
      throw shape_error("images of shape " + to_string(s) + " have no data (null pointer)");
  }

  planned_run& planned(shape4 images, bool whole) {
    const auto fits = [&](const planned_run& p) {
      return p.images() == images && (p.whole() == whole || images.n == 1);
    };
    if (!plans_.empty() && fits(plans_.front())) return plans_.front();
    const auto found = std::find_if(plans_.begin(), plans_.end(), fits);
    if (found != plans_.end()) {
      plans_.splice(plans_.begin(), plans_, found);
      return plans_.front();
    }
    if (plans_.size() >= static_cast<std::size_t>(std::max(1, options_.plans))) plans_.pop_back();
    plans_.emplace_front(*state_, backend_, images, options_.features, whole);
    return plans_.front();
  }

  static void grow(typename B::buffer& to, std::size_t bytes) {
    if (to.bytes() >= bytes) return;
    to = {};  // the old one first: both at once would be the peak
    to = typename B::buffer(bytes);
  }

  std::shared_ptr<const network_state<B>> state_;
  B backend_;
  session_options options_;
  std::list<planned_run> plans_;  // most recently used first
  typename B::buffer arena_, scratch_;
  outputs outputs_;
};

}  // namespace effnet
