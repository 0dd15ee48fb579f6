#pragma once

/// Entry header: weights of a network from safetensors, and back. Needs only the standard library.
/// For files of PyTorch: <effnet/torch.hpp>.

#include <effnet/io/read_weights.hpp>
#include <effnet/io/write_weights.hpp>
