#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <effnet/nn/trained_copies.hpp>
#include <effnet/nn/training_space.hpp>

namespace effnet {

/// Weights in the layouts of forward and backward kernels.
template <training_backend B>
struct packed_for_training {
  trained_copies<typename B::conv, typename B::packed> forward;
  trained_copies<typename B::conv_backward_data_op, typename B::packed_backward> backward;

  explicit packed_for_training(std::size_t layers) : forward(layers), backward(layers) {}
};

/// Hands out layers in the network's order, buffers and room for statistics, while a training step
/// is planned for images of one shape.
template <training_backend B>
class training_builder {
 public:
  training_builder(const trained_tensors<B>& of, packed_for_training<B>& copies, const B& device,
                   const convention& conventions, const training_settings& how)
      : tensors(of),
        packed(copies),
        on(device),
        rule(conventions),
        settings(how),
        space(map_type(device)) {}

  const trained_tensors<B>& tensors;
  packed_for_training<B>& packed;
  const B& on;
  const convention& rule;
  const training_settings& settings;
  training_space space;
  std::size_t scratch_bytes = 0;
  std::size_t statistics = 0;            ///< floats that outlive the pass's activations
  int blocks = 0;                        ///< added so far
  std::vector<std::uint64_t*> versions;  ///< of the values that packed weights are made of

  /// The next layer, which must have `role`: blocks plan in the order of the table.
  std::size_t take(layer_role role) {
    if (next_ >= tensors.layers().size() || tensors.layers()[next_].what.role != role)
      throw spec_error(sentence("layer ", next_, " of the network is not what its block expects"));
    return next_++;
  }
  /// Space that an op needs while it runs; all ops share the largest.
  void scratch(std::size_t bytes) { scratch_bytes = std::max(scratch_bytes, bytes); }

 private:
  std::size_t next_ = 0;
};

/// What a training step runs on.
template <training_backend B>
struct training_pass {
  const B& on;
  std::byte* arena = nullptr;
  std::byte* scratch = nullptr;
  float* statistics = nullptr;
  const training_space::place* places = nullptr;  ///< of buffers in the arena, by number
  const float* images = nullptr;
  const float* keep = nullptr;  ///< stochastic depth's, [blocks, n]; null: every block is kept
  std::uint64_t version = 0;    ///< of the weights; copies packed from another are stale

  tensor_view at(int id, shape4 shape) const {
    return {reinterpret_cast<float*>(arena + places[id].offset), shape, places[id].type};
  }
};

}  // namespace effnet
