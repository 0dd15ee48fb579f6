#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <effnet/backend/training_backend.hpp>
#include <effnet/core/dtype.hpp>
#include <effnet/core/file_mapping.hpp>
#include <effnet/nn/check_weights.hpp>

namespace effnet {

/// How a network is trained, beyond what a step says.
struct training_settings {
  float bn_momentum =
      0;  ///< weight of the new batch in the running statistics; 0: the convention's
  running_variance variance = running_variance::unbiased;
  int frozen_stages = 0;  ///< not trained: 1 the stem, 2 the stem and the first stage, ...
  /// Batch norm uses its running statistics and never moves them; its weight and bias are trained.
  bool frozen_batch_norm = false;
  bool recompute_blocks = false;  ///< keep block inputs only: less memory, one forward pass more

  friend bool operator==(const training_settings&, const training_settings&) = default;
};

/// The tensors of a layer by number; -1 where it has none.
struct layer_tensors {
  layer what;
  int weight = -1, bias = -1;
  int bn_weight = -1, bn_bias = -1, running_mean = -1, running_var = -1;
  bool trained = true;
};

/// A network's tensors while they change, float32 and in state-dict order without
/// `bn_num_batches`, and the gradients of the trained ones, each in one block of memory.
template <training_backend B>
class trained_tensors {
 public:
  trained_tensors(const weights& from, const training_settings& settings, const B& on) {
    check_weights(from);
    const int stages = static_cast<int>(from.spec.stages.size());
    if (settings.frozen_stages < 0 || settings.frozen_stages > stages + 1)
      throw spec_error(sentence("network '", std::string_view(from.spec.name), "' has ", stages,
                                " stages; ", settings.frozen_stages,
                                " cannot be frozen: expected 0 to ", stages + 1,
                                " (1 is the stem alone)"));
    std::vector<const raw_tensor*> sources;
    std::size_t index = 0;
    for (const tensor_spec& t : tensors_of(from.spec)) {
      const raw_tensor& source = from.tensors[index++];
      if (t.part == tensor_part::bn_num_batches) continue;
      add(t, settings.frozen_stages);
      sources.push_back(&source);
    }
    values_ = typename B::buffer(value_count_ * sizeof(float));
    gradients_ = typename B::buffer(gradient_count_ * sizeof(float));
    std::vector<float> wide;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      wide.resize(entries_[i].count);
      widen(sources[i]->type, sources[i]->data, wide.size(), wide.data());
      release_pages(*sources[i]);
      on.upload(wide.data(), value(static_cast<int>(i)), wide.size() * sizeof(float));
    }
  }

  const std::vector<tensor_spec>& specs() const { return specs_; }
  const std::vector<layer_tensors>& layers() const { return layers_; }
  bool trained(std::size_t i) const { return entries_[i].gradient_at != not_trained; }

  std::span<float> values(std::size_t i) const {
    return {value(static_cast<int>(i)), entries_[i].count};
  }
  std::span<float> gradient(std::size_t i) const {
    if (!trained(i)) return {};
    return {gradients() + entries_[i].gradient_at, entries_[i].count};
  }
  /// Null for -1.
  float* value(int i) const {
    if (i < 0) return nullptr;
    return reinterpret_cast<float*>(values_.data()) +
           entries_[static_cast<std::size_t>(i)].value_at;
  }
  /// Null for -1 and where not trained.
  float* gradient_at(int i) const {
    if (i < 0 || !trained(static_cast<std::size_t>(i))) return nullptr;
    return gradients() + entries_[static_cast<std::size_t>(i)].gradient_at;
  }
  std::size_t value_bytes() const { return value_count_ * sizeof(float); }
  std::size_t gradient_bytes() const { return gradient_count_ * sizeof(float); }

 private:
  static constexpr std::size_t not_trained = static_cast<std::size_t>(-1);
  struct entry {
    std::size_t count, value_at, gradient_at;
  };

  float* gradients() const { return reinterpret_cast<float*>(gradients_.data()); }

  void add(const tensor_spec& t, int frozen_stages) {
    const int index = static_cast<int>(specs_.size());
    // Outside the stages only the stem stands in front of them.
    const int place = t.of.role == layer_role::stem ? 0 : t.of.stage + 1;
    const bool tail = t.of.role == layer_role::head || t.of.role == layer_role::classifier;
    const bool free = tail || place >= frozen_stages;
    const bool moves =
        t.part == tensor_part::bn_running_mean || t.part == tensor_part::bn_running_var;
    constexpr std::size_t line = 16;  // floats: every tensor starts a cache line
    const std::size_t room = (t.elements() + line - 1) / line * line;
    entries_.push_back(
        {t.elements(), value_count_, free && !moves ? gradient_count_ : not_trained});
    value_count_ += room;
    if (free && !moves) gradient_count_ += room;
    specs_.push_back(t);
    if (t.part == tensor_part::weight) layers_.push_back({.what = t.of, .trained = free});
    layer_tensors& l = layers_.back();
    switch (t.part) {
      case tensor_part::weight:
        l.weight = index;
        break;
      case tensor_part::bias:
        l.bias = index;
        break;
      case tensor_part::bn_weight:
        l.bn_weight = index;
        break;
      case tensor_part::bn_bias:
        l.bn_bias = index;
        break;
      case tensor_part::bn_running_mean:
        l.running_mean = index;
        break;
      case tensor_part::bn_running_var:
        l.running_var = index;
        break;
      case tensor_part::bn_num_batches:
        break;
    }
  }

  std::vector<tensor_spec> specs_;
  std::vector<entry> entries_;
  std::vector<layer_tensors> layers_;
  std::size_t value_count_ = 0, gradient_count_ = 0;
  typename B::buffer values_, gradients_;
};

}  // namespace effnet
