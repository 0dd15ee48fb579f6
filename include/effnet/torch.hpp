#pragma once

/// Entry header: `read_state_dict`, for files of PyTorch's torch.save and safetensors alike, told
/// apart by content; `weights_from` makes a network's weights of what it returns. Needs only the
/// standard library, and stands apart since it takes a second to compile.

#include <effnet/io/read_state_dict.hpp>
#include <effnet/io/weights_from.hpp>
