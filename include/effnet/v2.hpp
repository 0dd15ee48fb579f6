#pragma once

/// EfficientNetV2, v2_b0 to v2_b3, v2_s, v2_m, v2_l and v2_xl, and `effnet::network` to run them.

#include <effnet/arch/v2_tables.hpp>
#include <effnet/nn/network.hpp>
