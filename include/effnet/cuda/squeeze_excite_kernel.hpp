#pragma once

#include <effnet/cuda/channel_block.hpp>
#include <effnet/cuda/global_span.hpp>
#include <effnet/cuda/kernel.hpp>
#include <effnet/math/activation.hpp>

namespace effnet::cuda {

/// Both layers of squeeze-excite from the means of an image's channels:
/// gate = sigmoid(excite(act(squeeze(means)))), in fp32. A block an image: between two layers there
/// is no more than a barrier, and no matrix so thin that tensor cores would idle.
struct squeeze_excite_kernel {
  static constexpr const char* name = "squeeze_excite";
  static constexpr unsigned most_threads = channel_block::threads;
  using registers = no_registers;

  int images, channels, squeezed;
  activation act;
  global_span<const float> means;            ///< [n][channels]
  global_span<const float> squeeze_weights;  ///< [channels][squeezed]
  global_span<const float> squeeze_bias;     ///< [squeezed]
  global_span<const float> excite_weights;   ///< [squeezed][channels]
  global_span<const float> excite_bias;      ///< [channels]
  global_span<float> gate;                   ///< [n][channels]

  launch_shape shape() const {
    const extent3 block = channel_block(squeezed, 1).extent();
    return {.grid = {static_cast<unsigned>(images)},
            .block = block,
            .shared_bytes = (block.count() + static_cast<std::size_t>(squeezed)) * sizeof(float)};
  }
  /// The block makes as many squeezed numbers at once as it is wide, each added up by its rows.
  EFFNET_HD int phases() const {
    return 2 * static_cast<int>(channel_block(squeezed, 1).blocks()) + 1;
  }

  EFFNET_HD void run(int phase, const thread_place& at, registers&,
                     const shared_memory& shared) const {
    if (phase + 1 == phases()) {
      excite(at, shared);
      return;
    }
    const std::size_t column = static_cast<std::size_t>(phase / 2) * at.block.x + at.in_block.x;
    if (phase % 2 == 0) {
      leave_row<1>(at, part_of(column, at), shared);
    } else if (at.in_block.y == 0 && column < outs()) {
      const float sum = total_of_rows<1>(at, shared)[0] + squeeze_bias.load(column);
      shared.store(first_squeezed(at) + column, math::apply(act, sum));
    }
  }

 private:
  EFFNET_HD std::size_t outs() const { return static_cast<std::size_t>(squeezed); }
  EFFNET_HD std::size_t ins() const { return static_cast<std::size_t>(channels); }
  /// Behind what the rows of threads leave for each other.
  EFFNET_HD static std::size_t first_squeezed(const thread_place& at) {
    return std::size_t{at.block.x} * at.block.y;
  }

  /// A thread's part of a squeezed number: every so many channels.
  EFFNET_HD floats_of<1> part_of(std::size_t column, const thread_place& at) const {
    floats_of<1> sum = {};
    if (column < outs())
      for (std::size_t c = at.in_block.y; c < ins(); c += at.block.y)
        sum[0] += means.load(at.in_grid.x * ins() + c) * squeeze_weights.load(c * outs() + column);
    return sum;
  }
  EFFNET_HD void excite(const thread_place& at, const shared_memory& shared) const {
    const std::size_t threads = first_squeezed(at);
    for (std::size_t c = std::size_t{at.in_block.y} * at.block.x + at.in_block.x; c < ins();
         c += threads) {
      float sum = excite_bias.load(c);
      for (std::size_t s = 0; s < outs(); ++s)
        sum += shared.load(threads + s) * excite_weights.load(s * ins() + c);
      gate.store(at.in_grid.x * ins() + c, math::apply(activation::sigmoid, sum));
    }
  }
};

}  // namespace effnet::cuda
