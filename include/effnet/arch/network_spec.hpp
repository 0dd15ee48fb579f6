#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace effnet {

/// Element function after a convolution.
enum class activation { identity, silu, relu, relu6, sigmoid };

/// What a stage repeats.
enum class block_op {
  mbconv,        ///< 1x1 expand, depthwise kxk, squeeze-excite, 1x1 project (EfficientNet V1)
  fused_mbconv,  ///< kxk expand, 1x1 project; a single kxk at expand ratio 1 (EfficientNetV2)
  bottleneck,    ///< 1x1, 3x3, 1x1 and a projected shortcut (ResNet, stride in the 3x3)
};

/// One row of a network's table: `repeats` blocks, of which the first has the stride and the change
/// of channels. `se` is the squeeze width as a fraction of the block's *input* channels; 0: none.
/// A bottleneck is `out / expand` channels wide inside; the other blocks `in * expand`.
struct stage_spec {
  block_op op = block_op::mbconv;
  int repeats = 1;
  int kernel = 3;
  int stride = 1;
  int expand = 1;
  int in = 0;
  int out = 0;
  float se = 0;

  friend constexpr bool operator==(const stage_spec&, const stage_spec&) = default;
};

/// Spellings of a row that read as in the papers: `mbconv{.repeats = 2, .kernel = 3, ...}`.
struct mbconv {
  int repeats = 1, kernel = 3, stride = 1, expand = 1, in = 0, out = 0;
  float se = 0;
  constexpr operator stage_spec() const {
    return {block_op::mbconv, repeats, kernel, stride, expand, in, out, se};
  }
};

struct fused_mbconv {
  int repeats = 1, kernel = 3, stride = 1, expand = 1, in = 0, out = 0;
  float se = 0;
  constexpr operator stage_spec() const {
    return {block_op::fused_mbconv, repeats, kernel, stride, expand, in, out, se};
  }
};

struct bottleneck {
  int repeats = 1, stride = 1, in = 0, out = 0;
  constexpr operator stage_spec() const {
    return {block_op::bottleneck, repeats, 3, stride, 4, in, out, 0};
  }
};

/// The rows of a table: at most `capacity`, held in place so that a spec is a constant.
struct stage_list {
  static constexpr int capacity = 16;
  std::array<stage_spec, capacity> rows{};
  int count = 0;

  constexpr stage_list() = default;
  constexpr stage_list(std::initializer_list<stage_spec> list) {
    for (const stage_spec& row : list) push_back(row);
  }
  /// Throws `std::out_of_range` where the list is full.
  constexpr void push_back(const stage_spec& row) {
    rows.at(size()) = row;
    ++count;
  }
  constexpr std::size_t size() const { return static_cast<std::size_t>(count); }
  constexpr bool empty() const { return count == 0; }
  constexpr const stage_spec* begin() const { return rows.data(); }
  constexpr const stage_spec* end() const { return rows.data() + count; }
  constexpr stage_spec* begin() { return rows.data(); }
  constexpr stage_spec* end() { return rows.data() + count; }
  constexpr const stage_spec& operator[](std::size_t i) const { return rows[i]; }
  constexpr stage_spec& operator[](std::size_t i) { return rows[i]; }
  constexpr const stage_spec& front() const { return rows[0]; }
  constexpr const stage_spec& back() const { return rows[size() - 1]; }

  friend constexpr bool operator==(const stage_list&, const stage_list&) = default;
};

/// A network's name, held in place for the same reason.
struct spec_name {
  static constexpr std::size_t capacity = 63;
  char text[capacity + 1] = {};

  constexpr spec_name() = default;
  constexpr spec_name(std::string_view name) {
    for (std::size_t i = 0; i < name.size() && i < capacity; ++i) text[i] = name[i];
  }
  constexpr spec_name(const char* name) : spec_name(std::string_view(name)) {}
  constexpr operator std::string_view() const { return text; }

  friend constexpr bool operator==(const spec_name&, const spec_name&) = default;
};

/// A network is its table. Everything else (parameters, MACs, shapes, names of tensors, the order
/// of execution) follows from it. Conventions of a checkpoint (padding, batch-norm eps, input
/// normalisation) are not part of it: see `convention`.
struct network_spec {
  spec_name name;
  int in_channels = 3;
  int stem = 32;  ///< channels of the stride-2 convolution in front
  int stem_kernel = 3;
  bool stem_pool = false;  ///< 3x3 stride-2 max pooling after it (ResNet)
  stage_list stages;
  int head = 1280;  ///< channels of the 1x1 convolution before pooling; 0: none (ResNet)
  int classes = 1000;
  activation act = activation::silu;
  int train_size = 224;   ///< largest image side in training, pixels
  int eval_size = 224;    ///< image side in inference, pixels
  float dropout = 0.2f;   ///< before the classifier
  float survival = 0.8f;  ///< stochastic depth: survival probability at the end of the network

  /// Channels that enter the pooling and the classifier.
  constexpr int features() const { return head > 0 ? head : stages.back().out; }

  friend constexpr bool operator==(const network_spec&, const network_spec&) = default;
};

/// The same table with another classifier or other input planes.
constexpr network_spec with_classes(network_spec spec, int classes) {
  spec.classes = classes;
  return spec;
}
constexpr network_spec with_in_channels(network_spec spec, int channels) {
  spec.in_channels = channels;
  return spec;
}

}  // namespace effnet
