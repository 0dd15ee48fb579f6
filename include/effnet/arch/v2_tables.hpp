#pragma once

#include <effnet/arch/count.hpp>
#include <effnet/arch/scaling.hpp>

namespace effnet {

/// EfficientNetV2-B0 (automl effnetv2_configs.py, v2_base_block). SE only in the MBConv stages.
inline constexpr network_spec v2_b0{
    .name = "efficientnetv2_b0",
    .stem = 32,
    // clang-format off
    .stages = {
        fused_mbconv{.repeats =  1, .kernel = 3, .stride = 1, .expand = 1, .in =  32, .out =  16},
        fused_mbconv{.repeats =  2, .kernel = 3, .stride = 2, .expand = 4, .in =  16, .out =  32},
        fused_mbconv{.repeats =  2, .kernel = 3, .stride = 2, .expand = 4, .in =  32, .out =  48},
        mbconv{      .repeats =  3, .kernel = 3, .stride = 2, .expand = 4, .in =  48, .out =  96, .se = 0.25f},
        mbconv{      .repeats =  5, .kernel = 3, .stride = 1, .expand = 6, .in =  96, .out = 112, .se = 0.25f},
        mbconv{      .repeats =  8, .kernel = 3, .stride = 2, .expand = 6, .in = 112, .out = 192, .se = 0.25f}},
    // clang-format on
    .head = 1280,
    .train_size = 192,
    .eval_size = 224,
};

inline constexpr network_spec v2_b1 =
    compound_scaled(v2_b0, {.width = 1.0,
                            .depth = 1.1,
                            .resolution = 240,
                            .train_resolution = 192,
                            .dropout = 0.2f,
                            .rounding = channel_rounding::unguarded,
                            .name = "efficientnetv2_b1"});
inline constexpr network_spec v2_b2 =
    compound_scaled(v2_b0, {.width = 1.1,
                            .depth = 1.2,
                            .resolution = 260,
                            .train_resolution = 208,
                            .dropout = 0.3f,
                            .rounding = channel_rounding::unguarded,
                            .name = "efficientnetv2_b2"});
inline constexpr network_spec v2_b3 =
    compound_scaled(v2_b0, {.width = 1.2,
                            .depth = 1.4,
                            .resolution = 300,
                            .train_resolution = 240,
                            .dropout = 0.3f,
                            .rounding = channel_rounding::unguarded,
                            .name = "efficientnetv2_b3"});

/// EfficientNetV2-S (arXiv 2104.00298v3, table 4; v2_s_block).
inline constexpr network_spec v2_s{
    .name = "efficientnetv2_s",
    .stem = 24,
    // clang-format off
    .stages = {
        fused_mbconv{.repeats =  2, .kernel = 3, .stride = 1, .expand = 1, .in =  24, .out =  24},
        fused_mbconv{.repeats =  4, .kernel = 3, .stride = 2, .expand = 4, .in =  24, .out =  48},
        fused_mbconv{.repeats =  4, .kernel = 3, .stride = 2, .expand = 4, .in =  48, .out =  64},
        mbconv{      .repeats =  6, .kernel = 3, .stride = 2, .expand = 4, .in =  64, .out = 128, .se = 0.25f},
        mbconv{      .repeats =  9, .kernel = 3, .stride = 1, .expand = 6, .in = 128, .out = 160, .se = 0.25f},
        mbconv{      .repeats = 15, .kernel = 3, .stride = 2, .expand = 6, .in = 160, .out = 256, .se = 0.25f}},
    // clang-format on
    .head = 1280,
    .train_size = 300,
    .eval_size = 384,
};

/// EfficientNetV2-M (v2_m_block).
inline constexpr network_spec v2_m{
    .name = "efficientnetv2_m",
    .stem = 24,
    // clang-format off
    .stages = {
        fused_mbconv{.repeats =  3, .kernel = 3, .stride = 1, .expand = 1, .in =  24, .out =  24},
        fused_mbconv{.repeats =  5, .kernel = 3, .stride = 2, .expand = 4, .in =  24, .out =  48},
        fused_mbconv{.repeats =  5, .kernel = 3, .stride = 2, .expand = 4, .in =  48, .out =  80},
        mbconv{      .repeats =  7, .kernel = 3, .stride = 2, .expand = 4, .in =  80, .out = 160, .se = 0.25f},
        mbconv{      .repeats = 14, .kernel = 3, .stride = 1, .expand = 6, .in = 160, .out = 176, .se = 0.25f},
        mbconv{      .repeats = 18, .kernel = 3, .stride = 2, .expand = 6, .in = 176, .out = 304, .se = 0.25f},
        mbconv{      .repeats =  5, .kernel = 3, .stride = 1, .expand = 6, .in = 304, .out = 512, .se = 0.25f}},
    // clang-format on
    .head = 1280,
    .train_size = 384,
    .eval_size = 480,
    .dropout = 0.3f,
};

/// EfficientNetV2-L (v2_l_block).
inline constexpr network_spec v2_l{
    .name = "efficientnetv2_l",
    .stem = 32,
    // clang-format off
    .stages = {
        fused_mbconv{.repeats =  4, .kernel = 3, .stride = 1, .expand = 1, .in =  32, .out =  32},
        fused_mbconv{.repeats =  7, .kernel = 3, .stride = 2, .expand = 4, .in =  32, .out =  64},
        fused_mbconv{.repeats =  7, .kernel = 3, .stride = 2, .expand = 4, .in =  64, .out =  96},
        mbconv{      .repeats = 10, .kernel = 3, .stride = 2, .expand = 4, .in =  96, .out = 192, .se = 0.25f},
        mbconv{      .repeats = 19, .kernel = 3, .stride = 1, .expand = 6, .in = 192, .out = 224, .se = 0.25f},
        mbconv{      .repeats = 25, .kernel = 3, .stride = 2, .expand = 6, .in = 224, .out = 384, .se = 0.25f},
        mbconv{      .repeats =  7, .kernel = 3, .stride = 1, .expand = 6, .in = 384, .out = 640, .se = 0.25f}},
    // clang-format on
    .head = 1280,
    .train_size = 384,
    .eval_size = 480,
    .dropout = 0.4f,
};

/// EfficientNetV2-XL (v2_xl_block).
inline constexpr network_spec v2_xl{
    .name = "efficientnetv2_xl",
    .stem = 32,
    // clang-format off
    .stages = {
        fused_mbconv{.repeats =  4, .kernel = 3, .stride = 1, .expand = 1, .in =  32, .out =  32},
        fused_mbconv{.repeats =  8, .kernel = 3, .stride = 2, .expand = 4, .in =  32, .out =  64},
        fused_mbconv{.repeats =  8, .kernel = 3, .stride = 2, .expand = 4, .in =  64, .out =  96},
        mbconv{      .repeats = 16, .kernel = 3, .stride = 2, .expand = 4, .in =  96, .out = 192, .se = 0.25f},
        mbconv{      .repeats = 24, .kernel = 3, .stride = 1, .expand = 6, .in = 192, .out = 256, .se = 0.25f},
        mbconv{      .repeats = 32, .kernel = 3, .stride = 2, .expand = 6, .in = 256, .out = 512, .se = 0.25f},
        mbconv{      .repeats =  8, .kernel = 3, .stride = 1, .expand = 6, .in = 512, .out = 640, .se = 0.25f}},
    // clang-format on
    .head = 1280,
    .train_size = 384,
    .eval_size = 512,
    .dropout = 0.4f,
};

static_assert(count_parameters(v2_b0) == 7'139'704 && count_bn_statistics(v2_b0) == 60'608);
static_assert(count_parameters(v2_b1) == 8'141'052 && count_bn_statistics(v2_b1) == 71'072);
static_assert(count_parameters(v2_b2) == 10'096'086 && count_bn_statistics(v2_b2) == 82'288);
static_assert(count_parameters(v2_b3) == 14'358'406 && count_bn_statistics(v2_b3) == 109'216);
static_assert(count_parameters(v2_s) == 21'458'488 && count_bn_statistics(v2_s) == 153'872);
static_assert(count_parameters(v2_m) == 54'139'356 && count_bn_statistics(v2_m) == 292'032);
static_assert(count_parameters(v2_l) == 118'515'272 && count_bn_statistics(v2_l) == 512'576);
static_assert(count_parameters(v2_xl) == 208'119'808 && count_bn_statistics(v2_xl) == 777'024);

}  // namespace effnet
