#pragma once

namespace effnet {

/// How the CPU backend computes, where there is more than one way.
struct cpu_options {
  /// Dense 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3), where that is faster: some 1e-6
  /// to 2e-5 of a layer's largest result away from direct convolution.
  bool winograd = true;
  /// Dense 1x1 convolutions of stride 1, of whole images, multiply numbers rounded to bf16 and add
  /// up in fp32, as everything else is done: up to twice as fast, logits some 1e-3 of the largest
  /// away. Needs a processor with AVX512_BF16.
  bool bf16 = false;

  friend bool operator==(const cpu_options&, const cpu_options&) = default;
};

}  // namespace effnet
