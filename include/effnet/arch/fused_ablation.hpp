#pragma once

#include <string_view>

#include <effnet/arch/v1_tables.hpp>
#include <effnet/core/error.hpp>

namespace effnet {

/// How an MBConv stage becomes a Fused-MBConv stage.
struct fusing {
  int first = 1, last = 1;  ///< stages, from 1, inclusive
  int kernel = 0;           ///< 0: keep
  bool keep_se = false;
  spec_name name = {};
};

/// `spec` with some stages fused. Throws `spec_error` where it has no such stages.
constexpr network_spec fuse_stages(network_spec spec, const fusing& how) {
  if (how.first < 1 || how.last > spec.stages.count)
    throw spec_error(sentence("cannot fuse stages ", how.first, " to ", how.last, " of network '",
                              std::string_view(spec.name), "', which has ", spec.stages.count));
  for (int number = how.first; number <= how.last; ++number) {
    stage_spec& row = spec.stages[static_cast<std::size_t>(number - 1)];
    row.op = block_op::fused_mbconv;
    if (how.kernel > 0) row.kernel = how.kernel;
    if (!how.keep_se) row.se = 0;
  }
  spec.name = how.name;
  return spec;
}

/// The networks of EfficientNetV2's table 3: B4 with more and more stages fused, by one rule: the
/// kernel is kept, squeeze-excite dropped.
inline constexpr network_spec b4_fused_1_3 =
    fuse_stages(b4, {.first = 1, .last = 3, .name = "efficientnet_b4_fused_1_3"});
inline constexpr network_spec b4_fused_1_5 =
    fuse_stages(b4, {.first = 1, .last = 5, .name = "efficientnet_b4_fused_1_5"});
inline constexpr network_spec b4_fused_1_7 =
    fuse_stages(b4, {.first = 1, .last = 7, .name = "efficientnet_b4_fused_1_7"});

/// No single rule gives every published row of that table; these come closest to each on its own.
namespace published_fit {
inline constexpr network_spec b4_fused_1_3 =
    fuse_stages(b4, {.first = 1,
                     .last = 3,
                     .kernel = 3,
                     .keep_se = true,
                     .name = "efficientnet_b4_fused_1_3_published_fit"});
inline constexpr network_spec b4_fused_1_5 =
    fuse_stages(b4, {.first = 3, .last = 5, .name = "efficientnet_b4_fused_1_5_published_fit"});
inline constexpr network_spec b4_fused_1_7 =
    fuse_stages(b4, {.first = 3, .last = 7, .name = "efficientnet_b4_fused_1_7_published_fit"});
}  // namespace published_fit

static_assert(count_parameters(b4_fused_1_3) == 20'945'870);
static_assert(count_parameters(b4_fused_1_5) == 43'528'144);
static_assert(count_parameters(b4_fused_1_7) == 132'121'624);
static_assert(count_parameters(published_fit::b4_fused_1_3) == 19'989'568);
static_assert(count_parameters(published_fit::b4_fused_1_5) == 43'361'152);
static_assert(count_parameters(published_fit::b4_fused_1_7) == 131'954'632);

}  // namespace effnet
