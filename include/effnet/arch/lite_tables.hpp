#pragma once

#include <effnet/arch/v1_tables.hpp>

namespace effnet {

/// EfficientNet-Lite0 (efficientnet_lite_builder.py): B0 without squeeze-excite, ReLU6 for SiLU.
inline constexpr network_spec lite0 = [] {
  network_spec spec = b0;
  spec.name = "efficientnet_lite0";
  spec.act = activation::relu6;
  for (stage_spec& row : spec.stages) row.se = 0;
  return spec;
}();

/// Lite1 to Lite4: stem, head and the repeats of the first and last stage are not scaled.
inline constexpr network_spec lite1 = compound_scaled(lite0, {.width = 1.0,
                                                              .depth = 1.1,
                                                              .resolution = 240,
                                                              .dropout = 0.2f,
                                                              .scale_ends = false,
                                                              .name = "efficientnet_lite1"});
inline constexpr network_spec lite2 = compound_scaled(lite0, {.width = 1.1,
                                                              .depth = 1.2,
                                                              .resolution = 260,
                                                              .dropout = 0.3f,
                                                              .scale_ends = false,
                                                              .name = "efficientnet_lite2"});
inline constexpr network_spec lite3 = compound_scaled(lite0, {.width = 1.2,
                                                              .depth = 1.4,
                                                              .resolution = 280,
                                                              .dropout = 0.3f,
                                                              .scale_ends = false,
                                                              .name = "efficientnet_lite3"});
inline constexpr network_spec lite4 = compound_scaled(lite0, {.width = 1.4,
                                                              .depth = 1.8,
                                                              .resolution = 300,
                                                              .dropout = 0.3f,
                                                              .scale_ends = false,
                                                              .name = "efficientnet_lite4"});

static_assert(count_parameters(lite0) == 4'652'008 && count_bn_statistics(lite0) == 42'016);
static_assert(count_parameters(lite1) == 5'416'680 && count_bn_statistics(lite1) == 53'664);
static_assert(count_parameters(lite2) == 6'092'072 && count_bn_statistics(lite2) == 58'096);
static_assert(count_parameters(lite3) == 8'197'096 && count_bn_statistics(lite3) == 76'672);
static_assert(count_parameters(lite4) == 13'006'568 && count_bn_statistics(lite4) == 112'368);

}  // namespace effnet
