#pragma once

#include <cstddef>
#include <vector>

#include <effnet/core/arena_plan.hpp>
#include <effnet/core/tensor_view.hpp>

namespace effnet {

/// The buffers of a training step, by number. Nodes add and release them in the order in which they
/// will run, forward and then backward; each finds its place in one arena. Gradients are known by
/// the activation that they belong to, and may be shared by several of its producers.
class training_space {
 public:
  static constexpr int none = -1;

  /// Where a buffer lies in the arena.
  struct place {
    std::size_t offset;
    dtype type;
  };

  explicit training_space(dtype maps) : maps_(maps) {}

  /// A new map, or the gradient of one, without a place.
  int add(shape4 shape) { return add(shape, maps_); }
  /// The same of rows of numbers, one row an image.
  int add_rows(shape4 shape) { return add(shape, dtype::f32); }
  /// The caller's images: they are never placed.
  int add_external(shape4 shape) {
    const int id = add_rows(shape);
    at(id).external = true;
    return id;
  }
  int count() const { return static_cast<int>(buffers_.size()); }
  const shape4& shape(int id) const { return at(id).shape; }
  bool external(int id) const { return at(id).external; }
  bool live(int id) const { return at(id).live || at(id).external; }

  void acquire(int id) {
    entry& b = at(id);
    if (b.live || b.external) return;
    b.offset = space_.acquire(b.shape.elements() * size_of(b.type));
    b.live = true;
  }
  int acquire(shape4 shape) { return acquired(add(shape)); }
  int acquire_rows(shape4 shape) { return acquired(add_rows(shape)); }
  void release(int id) {
    if (id == none || !at(id).live) return;
    space_.release(at(id).offset);
    at(id).live = false;
  }

  /// The buffer with the gradient of activation `id`, or `none`.
  int diff(int id) const { return at(id).diff; }
  /// Whether nobody else reads the gradient of `id`, so that it may be overwritten.
  bool owns_diff(int id) const { return diff(id) != none && at(diff(id)).users == 1; }
  /// Makes `buffer` the gradient of `id`, perhaps beside others.
  void set_diff(int id, int buffer) {
    at(id).diff = buffer;
    ++at(buffer).users;
  }
  /// The gradient of `id` has been used; the last user releases it.
  void drop_diff(int id) {
    const int buffer = diff(id);
    if (buffer == none) return;
    at(id).diff = none;
    if (--at(buffer).users == 0) release(buffer);
  }

  /// Releases what lives of buffers [first, last) but `kept` and gradients in use.
  template <class Kept>
  void sweep(int first, int last, const Kept& kept) {
    for (int id = first; id < last; ++id)
      if (at(id).live && at(id).users == 0 && !kept(id)) release(id);
  }

  /// Where every buffer lies now, or lay last.
  std::vector<place> places() const {
    std::vector<place> all;
    for (const entry& b : buffers_) all.push_back({b.offset, b.type});
    return all;
  }
  std::size_t peak() const { return space_.peak(); }
  std::size_t live_bytes() const { return space_.live_bytes(); }

 private:
  struct entry {
    shape4 shape;
    dtype type;
    std::size_t offset = 0;
    int diff = none;
    int users = 0;  // activations whose gradient this is
    bool live = false, external = false;
  };
  int add(shape4 shape, dtype type) {
    buffers_.push_back({.shape = shape, .type = type});
    return static_cast<int>(buffers_.size()) - 1;
  }
  int acquired(int id) {
    acquire(id);
    return id;
  }
  const entry& at(int id) const { return buffers_[static_cast<std::size_t>(id)]; }
  entry& at(int id) { return buffers_[static_cast<std::size_t>(id)]; }

  dtype maps_;
  std::vector<entry> buffers_;
  arena_plan space_;
};

}  // namespace effnet
