#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include <effnet/nn/forward_plan.hpp>

namespace effnet {

/// A batch laid out for a network: as one pass over all its images, or, where the backend can, in
/// groups of images of which each thread takes one through the whole network at a time. Then an
/// image's activations stay in the caches, memory does not grow with the batch, and threads wait
/// for each other once.
template <backend B>
class grouped_plan {
 public:
  /// `whole`: as one pass, which observers and kept features need.
  grouped_plan(const network_state<B>& state, const B& on, shape4 images, bool keep_features,
               bool whole)
      : images_(images), whole_(whole) {
    if constexpr (runs_groups_apart<B>)
      if (!whole && images.n > 1) plan_groups(state, on);
    const int rest = images.n - grouped();
    if (rest > 0) rest_.emplace_back(state, on, with_images(rest), keep_features);
    if (groups_ > 0) {
      const auto& one = rest > 0 ? rest_.front() : lanes_.front();
      logits_ = one.logits_shape(), embedding_ = one.embedding_shape();
      logits_.n = embedding_.n = images.n;
    }
  }

  shape4 images() const { return images_; }
  bool whole() const { return whole_; }
  std::size_t arena_bytes() const {
    const std::size_t one = rest_.empty() ? 0 : rest_.front().arena_bytes();
    return results_bytes() + std::max(one, lanes_.size() * lane_arena());
  }
  std::size_t scratch_bytes() const {
    const std::size_t one = rest_.empty() ? 0 : rest_.front().scratch_bytes();
    return std::max(one, lanes_.size() * lane_scratch());
  }

  /// `observe` as in `forward_plan::run`; only passes over the whole batch call it.
  template <class Observer>
  void run(const B& on, const arena_view& memory, outputs& out, const Observer& observe) const {
    if (groups_ == 0) {
      rest_.front().run(on, memory, out, observe);
      return;
    }
    if constexpr (runs_groups_apart<B>) run_groups(on, memory, out);
  }

 private:
  /// Bytes of activations up to which a group is made larger: weights are read once a group.
  static constexpr std::size_t cached = std::size_t{6} << 20;

  shape4 with_images(int count) const {
    shape4 shape = images_;
    shape.n = count;
    return shape;
  }
  int grouped() const { return groups_ * group_; }
  static std::size_t aligned(std::size_t bytes) { return rounded_up(bytes, arena_plan::alignment); }
  std::size_t lane_arena() const {
    return lanes_.empty() ? 0 : aligned(lanes_.front().arena_bytes());
  }
  std::size_t lane_scratch() const {
    return lanes_.empty() ? 0 : aligned(lanes_.front().scratch_bytes());
  }
  std::size_t results_bytes() const {
    return groups_ == 0 ? 0
                        : aligned(logits_.elements() * sizeof(float)) +
                              aligned(embedding_.elements() * sizeof(float));
  }

  void plan_groups(const network_state<B>& state, const B& on) {
    const int threads = on.threads(), each = images_.n / threads;
    if (each == 0) return;
    const B one = on.with_threads(1);
    const auto scope = one.enter();
    lanes_.reserve(static_cast<std::size_t>(threads));
    lanes_.emplace_back(state, one, with_images(1), false);  // tells how large an image is
    const std::size_t image = std::max<std::size_t>(1, lanes_.front().arena_bytes());
    const int fit = static_cast<int>(
        std::clamp<std::size_t>(cached / image, 1, static_cast<std::size_t>(each)));
    group_ = each / ((each + fit - 1) / fit);
    groups_ = each / group_ * threads;
    if (group_ > 1) lanes_.clear();
    while (lanes_.size() < static_cast<std::size_t>(threads))
      lanes_.emplace_back(state, one, with_images(group_), false);
  }

  void run_groups(const B& on, const arena_view& memory, outputs& out) const {
    const shape4 group = with_images(group_);
    auto* logits = reinterpret_cast<float*>(memory.arena);
    auto* embedding = logits + aligned(logits_.elements() * sizeof(float)) / sizeof(float);
    std::byte* arena = memory.arena + results_bytes();
    const auto keep = [&](const outputs& made, int first) {
      const auto at = static_cast<std::size_t>(first);
      std::copy_n(made.logits.data, made.logits.shape.elements(),
                  logits + at * static_cast<std::size_t>(logits_.c));
      std::copy_n(made.embedding.data, made.embedding.shape.elements(),
                  embedding + at * static_cast<std::size_t>(embedding_.c));
    };
    const std::size_t image = group.elements() / static_cast<std::size_t>(group_);
    const auto ignore = [](std::string_view, const const_tensor_view&) {};
    on.run_groups(
        static_cast<std::size_t>(groups_), [&](const B& one, std::size_t lane, std::size_t number) {
          const int first = static_cast<int>(number) * group_;
          outputs made;
          lanes_[lane].run(one,
                           {arena + lane * lane_arena(), memory.scratch + lane * lane_scratch(),
                            memory.images + static_cast<std::size_t>(first) * image},
                           made, ignore);
          keep(made, first);
        });
    if (!rest_.empty()) {
      outputs made;
      rest_.front().run(
          on, {arena, memory.scratch, memory.images + static_cast<std::size_t>(grouped()) * image},
          made, ignore);
      keep(made, grouped());
    }
    out.logits = const_tensor_view{logits, logits_};
    out.embedding = const_tensor_view{embedding, embedding_};
    out.features.clear();
  }

  shape4 images_;
  bool whole_;
  int group_ = 0, groups_ = 0;          // images of a group; groups
  std::vector<forward_plan<B>> lanes_;  // one a thread, for a group
  std::vector<forward_plan<B>> rest_;   // what is left, or all of it, on all threads
  shape4 logits_, embedding_;
};

}  // namespace effnet
