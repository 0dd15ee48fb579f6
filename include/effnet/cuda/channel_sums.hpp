#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cuda/channel_block.hpp>
#include <effnet/cuda/for_each_channel.hpp>

namespace effnet::cuda {

/// How the pixels of a tensor are cut up to be summed: within each image, or across all of them.
/// The cut depends on shapes alone, so that the same sums come out every time.
class sum_parts {
 public:
  sum_parts(const shape4& s, bool by_image)
      : groups_(by_image ? s.n : 1),
        pixels_(s.elements() / static_cast<std::size_t>(s.c) / static_cast<std::size_t>(groups_)),
        channels_(static_cast<std::size_t>(s.c)) {
    const channel_block block(s.c, width_for(s.c));
    // Enough blocks for the largest devices, and enough pixels a thread to be worth one.
    constexpr unsigned wanted = 1024, most = 128;
    constexpr std::size_t pixels_a_thread = 8;
    const unsigned others = block.blocks() * static_cast<unsigned>(groups_);
    parts_ = std::clamp(parts_of(pixels_, pixels_a_thread * block.rows()), 1u,
                        std::clamp(wanted / others, 1u, most));
  }

  int groups() const { return groups_; }
  unsigned parts() const { return parts_; }
  std::size_t floats(int count) const {
    return static_cast<std::size_t>(groups_) * parts_ * channels_ * static_cast<std::size_t>(count);
  }

 private:
  int groups_;
  std::size_t pixels_, channels_;
  unsigned parts_ = 1;
};

/// Adds up what `function.template operator()<Width>(element_place, sums)` adds to its
/// `Function::count` sums, over the pixels of every part.
template <class Function, int Width>
struct channel_sums {
  static constexpr const char* name = Function::name;
  static constexpr unsigned most_threads = channel_block::threads;
  static constexpr int count = Function::count;

  shape4 tensor;
  bool by_image;
  Function function;
  global_span<float> partial;  ///< [groups][parts][count][channels]

  struct registers {
    floats_of<Width> sums[count];
  };

  launch_shape shape() const {
    const channel_block block(tensor.c, Width);
    const sum_parts cut(tensor, by_image);
    return {.grid = {block.blocks(), cut.parts(), static_cast<unsigned>(cut.groups())},
            .block = block.extent(),
            .shared_bytes = block.extent().count() * Width * sizeof(float)};
  }
  /// Each of the sums goes through the same shared memory.
  EFFNET_HD int phases() const { return 2 * count; }

  EFFNET_HD void run(int phase, const thread_place& at, registers& own,
                     const shared_memory& shared) const {
    const std::size_t channel = first_channel<Width>(at);
    const auto channels = static_cast<std::size_t>(tensor.c);
    if (phase == 0 && channel < channels) add_pixels(at, channel, own);
    EFFNET_UNROLL
    for (int k = 0; k < count; ++k) {
      if (phase == 2 * k) leave_row<Width>(at, own.sums[k], shared);
      if (phase == 2 * k + 1 && at.in_block.y == 0 && channel < channels)
        partial.template store<Width>(
            ((std::size_t{at.in_grid.z} * at.grid.y + at.in_grid.y) * count +
             static_cast<std::size_t>(k)) *
                    channels +
                channel,
            total_of_rows<Width>(at, shared));
    }
  }

 private:
  EFFNET_HD void add_pixels(const thread_place& at, std::size_t channel, registers& own) const {
    const auto channels = static_cast<std::size_t>(tensor.c);
    const std::size_t image =
        static_cast<std::size_t>(tensor.h) * static_cast<std::size_t>(tensor.w);
    const std::size_t pixels = tensor.elements() / channels / at.grid.z;
    const std::size_t group = std::size_t{at.in_grid.z} * pixels;
    const std::size_t first = pixels * at.in_grid.y / at.grid.y,
                      last = pixels * (at.in_grid.y + 1) / at.grid.y;
    for (std::size_t p = group + first + at.in_block.y; p < group + last; p += at.block.y)
      function.template operator()<Width>(element_place{.image = p / image,
                                                        .pixel = p % image,
                                                        .channel = channel,
                                                        .element = p * channels + channel},
                                          own.sums);
  }
};

/// Adds up the parts, in their order and in double, and hands a channel's totals of a group to
/// `function(group, channel, totals)`.
template <class Function>
struct finish_sums {
  static constexpr const char* name = Function::name;
  static constexpr unsigned most_threads = 128;
  static constexpr int count = Function::count;

  int groups, channels;
  unsigned parts;
  global_span<const float> partial;
  Function function;

  using registers = no_registers;

  launch_shape shape() const {
    return {.grid = {parts_of(static_cast<std::size_t>(channels), most_threads),
                     static_cast<unsigned>(groups)},
            .block = {most_threads}};
  }
  EFFNET_HD int phases() const { return 1; }
  EFFNET_HD void run(int, const thread_place& at, registers&, const shared_memory&) const {
    const auto all = static_cast<std::size_t>(channels);
    const std::size_t channel = std::size_t{at.in_grid.x} * at.block.x + at.in_block.x;
    const std::size_t group = at.in_grid.y;
    if (channel >= all) return;
    double totals[count] = {};
    for (std::size_t part = 0; part < parts; ++part)
      for (std::size_t k = 0; k < count; ++k)
        totals[k] +=
            static_cast<double>(partial.load(((group * parts + part) * count + k) * all + channel));
    function(group, channel, totals);
  }
};

}  // namespace effnet::cuda
