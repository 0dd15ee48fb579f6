#pragma once

/// The papers' yardstick, resnet50 and resnet152, and `effnet::network` to run them.

#include <effnet/arch/resnet_tables.hpp>
#include <effnet/nn/network.hpp>
