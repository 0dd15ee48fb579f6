#pragma once

#include <effnet/arch/count.hpp>
#include <effnet/arch/scaling.hpp>

namespace effnet {

/// EfficientNet-B0 (arXiv 1905.11946, table 1; efficientnet_builder.py).
inline constexpr network_spec b0{
    .name = "efficientnet_b0",
    .stem = 32,
    // clang-format off
    .stages = {
        mbconv{.repeats =  1, .kernel = 3, .stride = 1, .expand = 1, .in =  32, .out =  16, .se = 0.25f},
        mbconv{.repeats =  2, .kernel = 3, .stride = 2, .expand = 6, .in =  16, .out =  24, .se = 0.25f},
        mbconv{.repeats =  2, .kernel = 5, .stride = 2, .expand = 6, .in =  24, .out =  40, .se = 0.25f},
        mbconv{.repeats =  3, .kernel = 3, .stride = 2, .expand = 6, .in =  40, .out =  80, .se = 0.25f},
        mbconv{.repeats =  3, .kernel = 5, .stride = 1, .expand = 6, .in =  80, .out = 112, .se = 0.25f},
        mbconv{.repeats =  4, .kernel = 5, .stride = 2, .expand = 6, .in = 112, .out = 192, .se = 0.25f},
        mbconv{.repeats =  1, .kernel = 3, .stride = 1, .expand = 6, .in = 192, .out = 320, .se = 0.25f}},
    // clang-format on
    .head = 1280,
};

/// B1 to B8 and L2: B0 scaled by the published coefficients.
inline constexpr network_spec b1 = compound_scaled(
    b0,
    {.width = 1.0, .depth = 1.1, .resolution = 240, .dropout = 0.2f, .name = "efficientnet_b1"});
inline constexpr network_spec b2 = compound_scaled(
    b0,
    {.width = 1.1, .depth = 1.2, .resolution = 260, .dropout = 0.3f, .name = "efficientnet_b2"});
inline constexpr network_spec b3 = compound_scaled(
    b0,
    {.width = 1.2, .depth = 1.4, .resolution = 300, .dropout = 0.3f, .name = "efficientnet_b3"});
inline constexpr network_spec b4 = compound_scaled(
    b0,
    {.width = 1.4, .depth = 1.8, .resolution = 380, .dropout = 0.4f, .name = "efficientnet_b4"});
inline constexpr network_spec b5 = compound_scaled(
    b0,
    {.width = 1.6, .depth = 2.2, .resolution = 456, .dropout = 0.4f, .name = "efficientnet_b5"});
inline constexpr network_spec b6 = compound_scaled(
    b0,
    {.width = 1.8, .depth = 2.6, .resolution = 528, .dropout = 0.5f, .name = "efficientnet_b6"});
inline constexpr network_spec b7 = compound_scaled(
    b0,
    {.width = 2.0, .depth = 3.1, .resolution = 600, .dropout = 0.5f, .name = "efficientnet_b7"});
inline constexpr network_spec b8 = compound_scaled(
    b0,
    {.width = 2.2, .depth = 3.6, .resolution = 672, .dropout = 0.5f, .name = "efficientnet_b8"});
inline constexpr network_spec l2 = compound_scaled(
    b0,
    {.width = 4.3, .depth = 5.3, .resolution = 800, .dropout = 0.5f, .name = "efficientnet_l2"});

static_assert(count_parameters(b0) == 5'288'548 && count_bn_statistics(b0) == 42'016);
static_assert(count_parameters(b1) == 7'794'184 && count_bn_statistics(b1) == 62'048);
static_assert(count_parameters(b2) == 9'109'994 && count_bn_statistics(b2) == 67'568);
static_assert(count_parameters(b3) == 12'233'232 && count_bn_statistics(b3) == 87'296);
static_assert(count_parameters(b4) == 19'341'616 && count_bn_statistics(b4) == 125'200);
static_assert(count_parameters(b5) == 30'389'784 && count_bn_statistics(b5) == 172'736);
static_assert(count_parameters(b6) == 43'040'704 && count_bn_statistics(b6) == 224'432);
static_assert(count_parameters(b7) == 66'347'960 && count_bn_statistics(b7) == 310'720);
static_assert(count_parameters(b8) == 87'413'142 && count_bn_statistics(b8) == 380'032);
static_assert(count_parameters(l2) == 480'309'308 && count_bn_statistics(l2) == 1'090'688);

}  // namespace effnet
