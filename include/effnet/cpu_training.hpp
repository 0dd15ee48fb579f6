#pragma once

/// Training on oneDNN and own kernels; needs the target effnet::cpu.

#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/nn/training_network.hpp>
