#pragma once

/// EfficientNet V1, b0 to b8 and l2, and `effnet::network` to run them.

#include <effnet/arch/v1_tables.hpp>
#include <effnet/nn/network.hpp>
