#pragma once

/// Entry header: weights of a network from safetensors and PyTorch files, and back. Needs only the
/// standard library.

#include <effnet/io/read_weights.hpp>
#include <effnet/io/write_weights.hpp>
