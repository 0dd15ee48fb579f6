#pragma once

/// EfficientNet-Lite, lite0 to lite4, and `effnet::network` to run them.

#include <effnet/arch/lite_tables.hpp>
#include <effnet/nn/network.hpp>
