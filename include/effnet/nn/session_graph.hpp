#pragma once

#include <cstddef>
#include <string_view>

#include <effnet/core/rounded_up.hpp>
#include <effnet/nn/grouped_plan.hpp>
#include <effnet/nn/recorded_pass.hpp>

namespace effnet {

/// A planned forward pass as a graph, on backends that record graphs. Images are first copied
/// behind the activations, where the graph finds those of every run.
template <backend B>
class session_graph {};

template <records_graphs B>
class session_graph<B> {
 public:
  std::size_t arena_bytes(const grouped_plan<B>& plan) const {
    return images_at(plan) + plan.images().elements() * sizeof(float);
  }

  /// As `grouped_plan::run`, in an arena of `arena_bytes`.
  void run(const B& on, const grouped_plan<B>& plan, arena_view memory, outputs& out) {
    auto* images = reinterpret_cast<float*>(memory.arena + images_at(plan));
    on.copy(memory.images, images, plan.images().elements() * sizeof(float));
    memory.images = images;
    pass_.run(on, {memory.arena, memory.scratch}, [&] {
      plan.run(on, memory, made_, [](std::string_view, const const_tensor_view&) {});
    });
    out = made_;
  }

 private:
  struct places {
    const std::byte *arena, *scratch;
    friend bool operator==(const places&, const places&) = default;
  };

  static std::size_t images_at(const grouped_plan<B>& plan) {
    return rounded_up(plan.arena_bytes(), arena_plan::alignment);
  }

  recorded_pass<B, places> pass_;
  outputs made_;  // its views are those of every replay
};

}  // namespace effnet
