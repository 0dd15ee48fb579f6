#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <effnet/arch/tensors.hpp>
#include <effnet/core/error.hpp>

namespace effnet {

/// How a family of checkpoints names its tensors. ResNets have one spelling in all of them.
enum class naming {
  timm,         ///< blocks.2.0.conv_dw.weight; also the `tf_*` models
  torchvision,  ///< features.3.0.block.1.0.weight
  lukemelas,    ///< _blocks.3._depthwise_conv.weight; MBConv only; also EfficientNet-Lite's PyTorch
                ///< port
};

constexpr std::string_view name_of(naming names) {
  switch (names) {
    case naming::timm:
      return "timm";
    case naming::torchvision:
      return "torchvision";
    case naming::lukemelas:
      return "lukemelas";
  }
  return "?";
}

constexpr std::optional<naming> find_naming(std::string_view name) {
  for (naming names : {naming::timm, naming::torchvision, naming::lukemelas})
    if (name_of(names) == name) return names;
  return std::nullopt;
}

namespace detail {

/// A ResNet as torchvision and timm know it, rather than bottlenecks among other blocks.
constexpr bool is_resnet(const network_spec& spec) {
  for (const stage_spec& row : spec.stages)
    if (row.op != block_op::bottleneck) return false;
  return spec.head == 0 && !spec.stages.empty();
}

constexpr bool is_batch_norm(tensor_part part) {
  return part != tensor_part::weight && part != tensor_part::bias;
}

/// PyTorch's name of a parameter or buffer within its module.
constexpr std::string_view leaf_name(tensor_part part) {
  switch (part) {
    case tensor_part::weight:
    case tensor_part::bn_weight:
      return "weight";
    case tensor_part::bias:
    case tensor_part::bn_bias:
      return "bias";
    case tensor_part::bn_running_mean:
      return "running_mean";
    case tensor_part::bn_running_var:
      return "running_var";
    case tensor_part::bn_num_batches:
      return "num_batches_tracked";
  }
  return "?";
}

/// Names of a convolution and of the batch norm behind it.
struct module_names {
  std::string_view convolution, batch_norm;
  constexpr std::string_view of(tensor_part part) const {
    return is_batch_norm(part) ? batch_norm : convolution;
  }
};

constexpr module_names bottleneck_names(layer_role role) {
  switch (role) {
    case layer_role::reduce:
      return {"conv1", "bn1"};
    case layer_role::spatial:
      return {"conv2", "bn2"};
    case layer_role::restore:
      return {"conv3", "bn3"};
    default:
      return {"downsample.0", "downsample.1"};
  }
}

inline std::string resnet_module(const layer& l, tensor_part part) {
  if (l.role == layer_role::stem) return is_batch_norm(part) ? "bn1" : "conv1";
  if (l.role == layer_role::classifier) return "fc";
  return sentence("layer", l.stage + 1, ".", l.block, ".", bottleneck_names(l.role).of(part));
}

/// timm numbers the convolutions of a block by presence, so that one name means different layers:
/// conv_pw projects in blocks without expansion and expands in the others.
constexpr module_names timm_names(layer_role role, const stage_spec& row) {
  const bool expands = row.expand != 1;
  switch (role) {
    case layer_role::expand:
      return {"conv_pw", "bn1"};
    case layer_role::depthwise:
      return {"conv_dw", expands ? "bn2" : "bn1"};
    case layer_role::squeeze:
      return {"se.conv_reduce", ""};
    case layer_role::excite:
      return {"se.conv_expand", ""};
    case layer_role::fused:
      return {expands ? "conv_exp" : "conv", "bn1"};
    case layer_role::project:
      if (row.op == block_op::fused_mbconv) return {"conv_pwl", "bn2"};
      return expands ? module_names{"conv_pwl", "bn3"} : module_names{"conv_pw", "bn2"};
    default:
      return bottleneck_names(role);
  }
}

inline std::string timm_module(const network_spec& spec, const layer& l, tensor_part part) {
  if (l.role == layer_role::stem) return is_batch_norm(part) ? "bn1" : "conv_stem";
  if (l.role == layer_role::head) return is_batch_norm(part) ? "bn2" : "conv_head";
  if (l.role == layer_role::classifier) return "classifier";
  const stage_spec& row = spec.stages[static_cast<std::size_t>(l.stage)];
  return sentence("blocks.", l.stage, ".", l.block, ".", timm_names(l.role, row).of(part));
}

/// torchvision numbers what a block has: expansion, depthwise, squeeze-excite, projection; within
/// each, 0 is the convolution and 1 its batch norm.
inline std::string torchvision_module(const network_spec& spec, const layer& l, tensor_part part) {
  const std::string_view inner = is_batch_norm(part) ? "1" : "0";
  if (l.role == layer_role::classifier) return "classifier.1";
  if (l.role == layer_role::stem) return sentence("features.0.", inner);
  if (l.role == layer_role::head) return sentence("features.", spec.stages.size() + 1, ".", inner);
  const stage_spec& row = spec.stages[static_cast<std::size_t>(l.stage)];
  const std::string block = sentence("features.", l.stage + 1, ".", l.block, ".");
  if (row.op == block_op::bottleneck) return block + std::string(bottleneck_names(l.role).of(part));
  const int before_se = row.op == block_op::mbconv && row.expand != 1 ? 2 : 1;
  const bool has_se = row.se > 0;
  switch (l.role) {
    case layer_role::depthwise:
      return sentence(block, "block.", before_se - 1, ".", inner);
    case layer_role::squeeze:
      return sentence(block, "block.", before_se, ".fc1");
    case layer_role::excite:
      return sentence(block, "block.", before_se, ".fc2");
    case layer_role::project:
      return sentence(block, "block.", before_se + (has_se ? 1 : 0), ".", inner);
    default:  // expand, fused
      return sentence(block, "block.0.", inner);
  }
}

inline std::string lukemelas_module(const network_spec& spec, const layer& l, tensor_part part) {
  if (l.role == layer_role::stem) return is_batch_norm(part) ? "_bn0" : "_conv_stem";
  if (l.role == layer_role::head) return is_batch_norm(part) ? "_bn1" : "_conv_head";
  if (l.role == layer_role::classifier) return "_fc";
  const auto names = [&]() -> module_names {
    switch (l.role) {
      case layer_role::expand:
        return {"_expand_conv", "_bn0"};
      case layer_role::depthwise:
        return {"_depthwise_conv", "_bn1"};
      case layer_role::squeeze:
        return {"_se_reduce", ""};
      case layer_role::excite:
        return {"_se_expand", ""};
      case layer_role::project:
        return {"_project_conv", "_bn2"};
      default:
        throw weight_error(sentence("the lukemelas naming has no names for the blocks of '",
                                    std::string_view(spec.name), "', only for MBConv; use timm"));
    }
  };
  return sentence("_blocks.", l.flat_block, ".", names().of(part));
}

}  // namespace detail

/// Whether `names` has a name for every tensor of `spec`.
constexpr bool can_name(naming names, const network_spec& spec) {
  if (names != naming::lukemelas || detail::is_resnet(spec)) return true;
  for (const stage_spec& row : spec.stages)
    if (row.op != block_op::mbconv) return false;
  return true;
}

/// The name of a tensor in a naming. Sources: timm `_efficientnet_blocks.py`, torchvision
/// `efficientnet.py` and `resnet.py`, lukemelas `model.py`; where a naming never had a table (B8 in
/// torchvision) its rule is continued. Throws `weight_error` where `can_name` is false.
inline std::string tensor_name(naming names, const network_spec& spec, const tensor_spec& tensor) {
  std::string name;
  if (detail::is_resnet(spec)) {
    name = detail::resnet_module(tensor.of, tensor.part);
  } else {
    switch (names) {
      case naming::timm:
        name = detail::timm_module(spec, tensor.of, tensor.part);
        break;
      case naming::torchvision:
        name = detail::torchvision_module(spec, tensor.of, tensor.part);
        break;
      case naming::lukemelas:
        name = detail::lukemelas_module(spec, tensor.of, tensor.part);
        break;
    }
  }
  name += '.';
  name += detail::leaf_name(tensor.part);
  return name;
}

}  // namespace effnet
