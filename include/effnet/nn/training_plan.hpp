#pragma once

#include <list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <effnet/nn/memory_plan.hpp>
#include <effnet/nn/residual_sum.hpp>
#include <effnet/nn/stored_value.hpp>
#include <effnet/nn/trained_head.hpp>
#include <effnet/nn/trained_max_pool.hpp>
#include <effnet/nn/trained_squeeze_excite.hpp>

namespace effnet {

/// A training step laid out for images of one shape: a chain of segments (the stem, every block,
/// the head convolution), each a few nodes, and the head. Every buffer of forward and backward pass
/// has its place in one arena before the first step.
template <training_backend B>
class training_plan {
 public:
  training_plan(const network_spec& spec, training_builder<B> build, shape4 images)
      : images_(images), recompute_(build.settings.recompute_blocks) {
    training_value<B> at{.tensor = build.space.add_external(images), .shape = images};
    const auto extend = [&](std::string name, auto&& add) {
      segments_.push_back({.name = std::move(name), .first = build.space.count(), .src = at});
      at = segments_.back().dst = add(segments_.back().nodes, at);
      segments_.back().last = build.space.count();
    };
    extend("stem", [&](auto& nodes, const auto& src) {
      training_value<B> dst =
          add<conv_norm<B>>(nodes, build, layer_role::stem, src, spec.act).value();
      if (spec.stem_pool)
        dst = add<trained_max_pool<B>>(nodes, build, dst,
                                       max_pool_problem{.src = dst.shape, .pad = {1, 1, 1, 1}})
                  .value();
      return dst;
    });
    for (std::size_t s = 0; s < spec.stages.size(); ++s)
      for (int i = 0; i < spec.stages[s].repeats; ++i)
        extend(sentence("stage ", s + 1), [&](auto& nodes, const auto& src) {
          return add_block(nodes, build, block_of(spec.stages[s], i), spec.act, src);
        });
    if (spec.head > 0)
      extend("head", [&](auto& nodes, const auto& src) {
        return add<conv_norm<B>>(nodes, build, layer_role::head, src, spec.act).value();
      });
    if (at.unit != nullptr && at.unit->gate() != training_space::none)
      extend("head", [&](auto& nodes, const auto& src) {
        return add<stored_value<B>>(nodes, build, src).value();
      });
    head_.emplace(build, at);
    blocks_ = build.blocks;
    keep_ = build.statistics;
    statistics_ = keep_ + static_cast<std::size_t>(blocks_) * static_cast<std::size_t>(images.n);
    scratch_bytes_ = build.scratch_bytes;
    versions_ = std::move(build.versions);
    place(build.space);
  }

  const shape4& images() const { return images_; }
  /// Blocks, of which stochastic depth drops some.
  int blocks() const { return blocks_; }
  const trained_head<B>& head() const { return *head_; }
  std::size_t arena_bytes() const { return arena_bytes_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  std::size_t statistics_bytes() const { return statistics_ * sizeof(float); }
  /// Stochastic depth's factors, [blocks, n], among the statistics.
  std::size_t keep_offset() const { return keep_; }
  const std::vector<memory_plan::row>& memory() const { return memory_; }

  /// The version of values that no packed weights are made of.
  static constexpr std::uint64_t outdated = ~std::uint64_t{0};
  /// Whether all packed weights are made of values of this version...
  bool packed_from(std::uint64_t version) const {
    return std::all_of(versions_.begin(), versions_.end(),
                       [&](const std::uint64_t* of) { return *of == version; });
  }
  /// ... and says that they are. With `outdated` the next pass packs them again.
  void set_packed_from(std::uint64_t version) const {
    for (std::uint64_t* of : versions_) *of = version;
  }

  /// Logits in training mode; `drops` says whether dropout's mask is to be used.
  void forward(training_pass<B> pass, bool drops) const {
    pass.places = forward_places_.data();
    for (const segment& s : segments_)
      for (const node& n : s.nodes) std::visit([&](const auto& op) { op.forward(pass, true); }, n);
    head_->forward(pass, drops);
  }
  /// Gradients of everything trained, from that of the logits.
  void backward(training_pass<B> pass, bool drops) const {
    pass.places = backward_places_.data();
    head_->backward(pass, drops);
    for (auto s = segments_.rbegin(); s != segments_.rend(); ++s) {
      if (!s->dst.differentiable) return;
      for (const node* n : s->again)
        std::visit([&](const auto& op) { op.forward(pass, false); }, *n);
      for (auto n = s->nodes.rbegin(); n != s->nodes.rend(); ++n)
        std::visit([&](const auto& op) { op.backward(pass); }, *n);
    }
  }
  /// Logits and their gradient lie in the places of these passes.
  const_tensor_view logits(training_pass<B> pass) const {
    pass.places = backward_places_.data();
    return head_->logits(pass);
  }
  tensor_view diff_logits(training_pass<B> pass) const {
    pass.places = backward_places_.data();
    return head_->diff_logits(pass);
  }

  /// Calls `visit(conv_norm)` in the order of the network.
  template <class Visitor>
  void for_each_norm(Visitor&& visit) const {
    for (const segment& s : segments_)
      for (const node& n : s.nodes)
        if (const auto* unit = std::get_if<conv_norm<B>>(&n)) visit(*unit);
  }

 private:
  using node = std::variant<conv_norm<B>, trained_squeeze_excite<B>, residual_sum<B>,
                            trained_max_pool<B>, stored_value<B>>;
  struct segment {
    std::string name;
    int first = 0, last = 0;  // numbers of its buffers
    training_value<B> src, dst = {};
    std::list<node> nodes = {};           // nodes point at each other
    std::vector<const node*> again = {};  // to compute once more before the backward pass
  };

  template <class Node, class... Arguments>
  static Node& add(std::list<node>& nodes, Arguments&&... arguments) {
    return std::get<Node>(
        nodes.emplace_back(std::in_place_type<Node>, std::forward<Arguments>(arguments)...));
  }

  /// The nodes of a block, in the order of its layers.
  static training_value<B> add_block(std::list<node>& nodes, training_builder<B>& build,
                                     const block_spec& spec, activation act,
                                     const training_value<B>& src) {
    const int block = build.blocks++;
    const auto convolve = [&](layer_role role, const training_value<B>& from,
                              activation then) -> conv_norm<B>& {
      return add<conv_norm<B>>(nodes, build, role, from, then);
    };
    const auto add_gate = [&](conv_norm<B>& unit) {
      if (spec.has_se()) add<trained_squeeze_excite<B>>(nodes, build, unit, act);
    };
    conv_norm<B>* last = nullptr;
    training_value<B> shortcut = src;
    activation then = activation::identity;
    switch (spec.op) {
      case block_op::mbconv: {
        const training_value<B> wide =
            spec.expand == 1 ? src : convolve(layer_role::expand, src, act).value();
        conv_norm<B>& deep = convolve(layer_role::depthwise, wide, act);
        add_gate(deep);
        last = &convolve(layer_role::project, deep.value(), activation::identity);
        break;
      }
      case block_op::fused_mbconv: {
        last = &convolve(layer_role::fused, src, act);
        add_gate(*last);
        if (spec.expand != 1)
          last = &convolve(layer_role::project, last->value(), activation::identity);
        break;
      }
      case block_op::bottleneck: {
        const training_value<B> narrow = convolve(layer_role::reduce, src, act).value();
        const training_value<B> deep = convolve(layer_role::spatial, narrow, act).value();
        last = &convolve(layer_role::restore, deep, activation::identity);
        if (!spec.keeps_shape())
          shortcut = convolve(layer_role::shortcut, src, activation::identity).value();
        then = act;
        break;
      }
    }
    if (!spec.has_skip()) return last->value();
    last->set_block(block);
    return add<residual_sum<B>>(nodes, build, *last, shortcut, then).value();
  }

  /// Plays the passes through: what lives when, and where.
  void place(training_space& space) {
    std::size_t before = 0;
    const auto note = [&](const segment& s) {
      if (memory_.empty() || memory_.back().name != s.name) memory_.push_back({.name = s.name});
      return memory_.size() - 1;
    };
    std::vector<std::size_t> rows;
    for (segment& s : segments_) {
      rows.push_back(note(s));
      memory_plan::row& row = memory_[rows.back()];
      for (node& n : s.nodes) {
        std::visit([&](auto& op) { op.plan_forward(space); }, n);
        row.peak = std::max(row.peak, space.live_bytes());
      }
      const bool kept = s.dst.differentiable && !recompute_;
      if (!kept) {
        space.sweep(s.first, space.count(), [&](int id) { return needed(s.dst, id); });
        // In front of everything trained nothing waits for a backward pass.
        if (!s.dst.differentiable) release_value(space, s.src);
      }
      row.saved += space.live_bytes() - std::min(before, space.live_bytes());
      before = space.live_bytes();
    }
    if (memory_.empty() || memory_.back().name != "head") memory_.push_back({.name = "head"});
    head_->plan_forward(space);
    forward_places_ = space.places();
    head_->plan_backward(space);
    memory_.back().peak = std::max(memory_.back().peak, space.live_bytes());
    for (std::size_t i = segments_.size(); i-- > 0;) {
      segment& s = *std::next(segments_.begin(), static_cast<std::ptrdiff_t>(i));
      if (!s.dst.differentiable) break;
      memory_plan::row& row = memory_[rows[i]];
      if (recompute_)
        for (node& n : s.nodes) {
          if (std::visit([&](const auto& op) { return space.live(op.dst()); }, n)) continue;
          std::visit([&](auto& op) { op.plan_forward(space); }, n);
          s.again.push_back(&n);
        }
      for (auto n = s.nodes.rbegin(); n != s.nodes.rend(); ++n) {
        row.peak = std::max(row.peak, space.live_bytes());
        std::visit([&](auto& op) { op.plan_backward(space); }, *n);
        row.peak = std::max(row.peak, space.live_bytes());
      }
      space.sweep(s.first, s.last, [](int) { return false; });
    }
    backward_places_ = space.places();
    forward_places_.resize(backward_places_.size());
    arena_bytes_ = space.peak();
  }

  /// Whether buffer `id` is part of `value`.
  static bool needed(const training_value<B>& value, int id) {
    return id == value.tensor || (value.unit != nullptr && id == value.unit->gate());
  }
  static void release_value(training_space& space, const training_value<B>& value) {
    if (space.external(value.tensor)) return;
    space.release(value.tensor);
    if (value.unit != nullptr) space.release(value.unit->gate());
  }

  shape4 images_;
  bool recompute_;
  std::list<segment> segments_;
  std::optional<trained_head<B>> head_;
  int blocks_ = 0;
  std::size_t keep_ = 0, statistics_ = 0, scratch_bytes_ = 0, arena_bytes_ = 0;
  std::vector<training_space::place> forward_places_, backward_places_;
  std::vector<std::uint64_t*> versions_;  // of the layers' packed weights
  std::vector<memory_plan::row> memory_;
};

}  // namespace effnet
