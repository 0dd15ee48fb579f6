#pragma once

#include <effnet/cuda/channel_sums.hpp>
#include <effnet/cuda/device.hpp>
#include <effnet/cuda/for_each_channel.hpp>

/// Runs functions of elements and channels on a device, as wide as channels allow.
namespace effnet::cuda {

template <device D, class Function>
void run_for_each_channel(const D& on, const shape4& tensor, const Function& function) {
  if (width_for(tensor.c) == 4)
    on.run(for_each_channel<Function, 4>{tensor, function});
  else
    on.run(for_each_channel<Function, 1>{tensor, function});
}

/// Floats that `run_channel_sums` needs in between.
inline std::size_t channel_sum_floats(const shape4& tensor, bool by_image, int count) {
  return sum_parts(tensor, by_image).floats(count);
}

/// Sums over the pixels of every image, or of all, which go to `finish`. `partial` has room for
/// `channel_sum_floats`.
template <device D, class Function, class Finish>
void run_channel_sums(const D& on, const shape4& tensor, bool by_image, const Function& function,
                      const Finish& finish, float* partial) {
  static_assert(Function::count == Finish::count);
  const sum_parts cut(tensor, by_image);
  const global_span<float> memory(partial, cut.floats(Function::count));
  if (width_for(tensor.c) == 4)
    on.run(channel_sums<Function, 4>{tensor, by_image, function, memory});
  else
    on.run(channel_sums<Function, 1>{tensor, by_image, function, memory});
  on.run(finish_sums<Finish>{
      cut.groups(), tensor.c, cut.parts(), {partial, cut.floats(Function::count)}, finish});
}

}  // namespace effnet::cuda
