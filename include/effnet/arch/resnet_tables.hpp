#pragma once

#include <effnet/arch/count.hpp>

namespace effnet {

/// ResNet-50 with the stride in the 3x3 (torchvision): the yardstick of the papers' tables.
inline constexpr network_spec resnet50{
    .name = "resnet50",
    .stem = 64,
    .stem_kernel = 7,
    .stem_pool = true,
    .stages = {bottleneck{.repeats = 3, .stride = 1, .in = 64, .out = 256},
               bottleneck{.repeats = 4, .stride = 2, .in = 256, .out = 512},
               bottleneck{.repeats = 6, .stride = 2, .in = 512, .out = 1024},
               bottleneck{.repeats = 3, .stride = 2, .in = 1024, .out = 2048}},
    .head = 0,
    .act = activation::relu,
    .dropout = 0,
    .survival = 1,
};

inline constexpr network_spec resnet152 = [] {
  network_spec spec = resnet50;
  spec.name = "resnet152";
  spec.stages[1].repeats = 8;
  spec.stages[2].repeats = 36;
  return spec;
}();

static_assert(count_parameters(resnet50) == 25'557'032 && count_bn_statistics(resnet50) == 53'120);
static_assert(count_parameters(resnet152) == 60'192'808 &&
              count_bn_statistics(resnet152) == 151'424);

}  // namespace effnet
