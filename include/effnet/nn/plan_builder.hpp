#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

#include <effnet/core/arena_plan.hpp>
#include <effnet/nn/network_state.hpp>

namespace effnet {

/// An activation's place in a session's arena, known before the arena exists. Blocks pass slots to
/// each other while a plan is built and find their memory by them while it runs.
struct slot {
  std::size_t offset = 0;
  shape4 shape;
  bool external = false;  ///< the caller's images, not in the arena
  dtype type = dtype::f32;
};

/// A session's memory during one forward pass.
struct arena_view {
  std::byte* arena = nullptr;
  std::byte* scratch = nullptr;
  const float* images = nullptr;

  tensor_view at(const slot& s) const {
    return {reinterpret_cast<float*>(arena + s.offset), s.shape, s.type};
  }
  const_tensor_view source(const slot& s) const {
    if (s.external) return {images, s.shape};
    return at(s);
  }
};

/// Hands out layers in the network's order, and arena space by lifetime, while blocks plan
/// themselves for one image size and batch.
template <backend B>
class plan_builder {
 public:
  plan_builder(const network_state<B>& of, const B& on) : state_(of), backend_(on) {}

  const B& device() const { return backend_; }
  padding_rule padding() const { return state_.stored().rule.padding; }

  /// The next layer, which must have `role`: blocks plan in the order of the table.
  std::size_t take(layer_role role) {
    if (next_ >= state_.layer_count() || state_.layer_at(next_).role != role)
      throw spec_error(sentence("layer ", next_, " of network '",
                                std::string_view(state_.spec().name),
                                "' is not what its block expects"));
    return next_++;
  }
  const layer& layer_at(std::size_t index) const { return state_.layer_at(index); }
  template <class Op>
  auto packed(std::size_t index, const Op& op) const {
    return state_.packed(index, op);
  }

  /// A map between two layers, in the type in which the backend stores them.
  slot acquire(shape4 shape) { return acquire(shape, map_type(backend_)); }
  /// A number a channel, or a class, of every image.
  slot acquire_rows(int images, int channels) {
    return acquire({images, 1, 1, channels}, dtype::f32);
  }
  void release(const slot& s) {
    if (!s.external) space_.release(s.offset);
  }
  /// Space that an op needs while it runs; all ops share the largest.
  void scratch(std::size_t bytes) { scratch_bytes_ = std::max(scratch_bytes_, bytes); }

  std::size_t arena_bytes() const { return space_.peak(); }
  std::size_t scratch_bytes() const { return scratch_bytes_; }

 private:
  slot acquire(shape4 shape, dtype type) {
    return {space_.acquire(shape.elements() * size_of(type)), shape, false, type};
  }

  const network_state<B>& state_;
  const B& backend_;
  arena_plan space_;
  std::size_t scratch_bytes_ = 0;
  std::size_t next_ = 0;
};

}  // namespace effnet
