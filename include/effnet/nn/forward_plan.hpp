#pragma once

#include <list>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <effnet/nn/bottleneck.hpp>
#include <effnet/nn/fused_mbconv.hpp>
#include <effnet/nn/mbconv.hpp>

namespace effnet {

/// What one forward pass leaves behind. The views point into the session's memory on the backend's
/// device and hold until its next run.
struct outputs {
  struct feature {
    const_tensor_view map;
    int reduction = 1;  ///< input pixels per pixel of the map
  };
  const_tensor_view logits;       ///< [n, 1, 1, classes]
  const_tensor_view embedding;    ///< [n, 1, 1, features]: pooled, before the classifier
  std::vector<feature> features;  ///< last map of every reduction level, if asked for
};

/// A network laid out for one image size and batch: its blocks with their ops planned, every
/// activation's place known. Belongs to one session.
template <backend B>
class forward_plan {
 public:
  forward_plan(const network_state<B>& state, const B& on, shape4 images, bool keep_features)
      : images_{.offset = 0, .shape = images, .external = true} {
    const network_spec& spec = state.spec();
    plan_builder<B> plan(state, on);
    int reduction = 2;
    stem_.emplace(plan, layer_role::stem, images, epilogue{.before = spec.act});
    slot at = stem_dst_ = plan.acquire(stem_->dst_shape());
    if (spec.stem_pool) {
      stem_pool_ = max_pool_problem{.src = at.shape, .kernel = 3, .stride = 2, .pad = {1, 1, 1, 1}};
      // (size + 1) / 2 rows either way: the padding below and right is used by odd sizes only.
      const slot pooled = plan.acquire(stem_pool_->dst());
      keep_or_release(plan, at, reduction, keep_features);
      reduction *= 2;
      at = pooled_ = pooled;
    }
    for (const stage_spec& row : spec.stages)
      for (int i = 0; i < row.repeats; ++i) {
        const block_spec next = block_of(row, i);
        const bool tap = next.stride > 1;  // the map before a stride is its level's last
        if (tap && keep_features) taps_.push_back({at, reduction});
        reduction *= next.stride;
        at = add_block(plan, next, spec.act, at, tap && keep_features);
      }
    if (keep_features) taps_.push_back({at, reduction});
    if (spec.head > 0) {
      head_src_ = at;
      head_.emplace(plan, layer_role::head, at.shape, epilogue{.before = spec.act});
      const slot wide = plan.acquire(head_->dst_shape());
      if (!keep_features) plan.release(at);
      at = wide;
    }
    pool_src_ = at;
    embedding_ = plan.acquire_rows(images.n, at.shape.c);
    classifier_.emplace(plan, layer_role::classifier, embedding_.shape, epilogue{});
    logits_ = plan.acquire_rows(images.n, classifier_->dst_shape().c);
    arena_bytes_ = plan.arena_bytes();
    scratch_bytes_ = plan.scratch_bytes();
  }

  shape4 images() const { return images_.shape; }
  shape4 logits_shape() const { return logits_.shape; }
  shape4 embedding_shape() const { return embedding_.shape; }
  std::size_t arena_bytes() const { return arena_bytes_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }

  /// Runs on `memory`; calls `observe(name, view)` after the stem, every block and the head, with
  /// names "stem", "block00" ..., "head".
  template <class Observer>
  void run(const B& on, const arena_view& memory, outputs& out, Observer&& observe) const {
    stem_->run(on, memory.source(images_), memory.at(stem_dst_), memory.scratch);
    observe("stem", const_tensor_view(memory.at(stem_dst_)));
    if (stem_pool_) on.max_pool_forward(*stem_pool_, memory.at(stem_dst_), memory.at(pooled_));
    int index = 0;
    for (const block& b : blocks_)
      std::visit(
          [&](const auto& planned) {
            planned.run(on, memory);
            observe(block_name{index++}.text, const_tensor_view(memory.at(planned.dst())));
          },
          b);
    if (head_) {
      head_->run(on, memory.at(head_src_), memory.at(pool_src_), memory.scratch);
      observe("head", const_tensor_view(memory.at(pool_src_)));
    }
    on.global_pool_forward(memory.at(pool_src_), memory.at(embedding_));
    classifier_->run(on, memory.at(embedding_), memory.at(logits_), memory.scratch);
    out.logits = memory.at(logits_);
    out.embedding = memory.at(embedding_);
    out.features.clear();
    for (const auto& [place, reduction] : taps_)
      out.features.push_back({memory.at(place), reduction});
  }

 private:
  using block = std::variant<mbconv_block<B>, fused_mbconv_block<B>, bottleneck_block<B>>;

  /// "block07": no allocation in a forward pass.
  struct block_name {
    char text[12] = "block";
    explicit block_name(int index) {
      std::size_t at = 5;
      if (index >= 100) text[at++] = static_cast<char>('0' + index / 100 % 10);
      text[at++] = static_cast<char>('0' + index / 10 % 10);
      text[at] = static_cast<char>('0' + index % 10);
    }
  };

  void keep_or_release(plan_builder<B>& plan, const slot& s, int reduction, bool keep) {
    if (keep)
      taps_.push_back({s, reduction});
    else
      plan.release(s);
  }

  slot add_block(plan_builder<B>& plan, const block_spec& spec, activation act, const slot& src,
                 bool keep_src) {
    const auto add = [&]<class Block>(std::in_place_type_t<Block> type) {
      blocks_.emplace_back(type, plan, spec, act, src, keep_src);
      return std::get<Block>(blocks_.back()).dst();
    };
    switch (spec.op) {
      case block_op::mbconv:
        return add(std::in_place_type<mbconv_block<B>>);
      case block_op::fused_mbconv:
        return add(std::in_place_type<fused_mbconv_block<B>>);
      case block_op::bottleneck:
        return add(std::in_place_type<bottleneck_block<B>>);
    }
    return src;
  }

  slot images_, stem_dst_, pooled_, head_src_, pool_src_, embedding_, logits_;
  std::optional<conv_act<B>> stem_, head_, classifier_;
  std::optional<max_pool_problem> stem_pool_;
  std::list<block> blocks_;                 // blocks stay where they are made
  std::vector<std::pair<slot, int>> taps_;  // where, reduction
  std::size_t arena_bytes_ = 0, scratch_bytes_ = 0;
};

}  // namespace effnet
