#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <effnet/backend/backend.hpp>
#include <effnet/nn/check_weights.hpp>
#include <effnet/nn/folding.hpp>

namespace effnet {

/// What all sessions of a loaded network share and none changes: its tensors, and the copies packed
/// for the backend. A copy is made when a plan first asks for its layout, under a lock; the stored
/// tensors stay as they are.
template <backend B>
class network_state {
 public:
  using packed_pointer = std::shared_ptr<const typename B::packed>;

  network_state(effnet::weights from, B on) : weights_(std::move(from)), backend_(std::move(on)) {
    check_weights(weights_);
    std::size_t index = 0;
    for (const tensor_spec& t : tensors_of(weights_.spec)) {
      if (t.part == tensor_part::weight) layers_.push_back({t.of, index, {}});
      ++index;
    }
  }

  const effnet::weights& stored() const { return weights_; }
  const network_spec& spec() const { return weights_.spec; }
  const B& device() const { return backend_; }
  std::size_t layer_count() const { return layers_.size(); }
  const layer& layer_at(std::size_t index) const { return layers_[index].what; }

  /// The weights of layer `index` in the layout that `op` wants: a convolution, or a part of an op
  /// that packs them.
  template <class Op>
  packed_pointer packed(std::size_t index, const Op& op) const {
    const std::scoped_lock lock(packing_);
    entry& at = layers_[index];
    for (const auto& [layout, copy] : at.copies)
      if (layout == op.layout()) return copy;
    const folded_layer folded = fold(weights_, at.what, at.first_tensor);
    auto copy = std::make_shared<const typename B::packed>(
        op.pack(folded.weights.data(), folded.bias.data()));
    at.copies.emplace_back(op.layout(), copy);
    return copy;
  }

 private:
  using layout_type =
      std::remove_cvref_t<decltype(std::declval<const typename B::conv&>().layout())>;

  struct entry {
    layer what;
    std::size_t first_tensor;
    std::vector<std::pair<layout_type, packed_pointer>> copies;
  };

  effnet::weights weights_;
  B backend_;
  mutable std::mutex packing_;
  mutable std::vector<entry> layers_;
};

}  // namespace effnet
