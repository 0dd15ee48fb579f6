#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/core/shape.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/sweep.hpp>

namespace effnet::cpu::detail {

/// How a tensor is cut up for sums over its pixels: a function of its shape alone, so that sums do
/// not depend on the number of threads. Few pixels of many channels are cut across the channels,
/// many pixels of few along the pixels.
struct norm_chunks {
  static constexpr std::size_t widest = 256;   ///< channels of a piece
  static constexpr std::size_t longest = 512;  ///< pixels: floats add up so many without harm

  std::size_t channels, pixels, image_pixels;
  std::size_t length;  ///< pixels of a chunk

  explicit norm_chunks(const shape4& s)
      : channels(static_cast<std::size_t>(s.c)),
        pixels(s.elements() / channels),
        image_pixels(pixels / static_cast<std::size_t>(s.n)),
        length(std::clamp(
            std::size_t{32768} / std::min(channels, widest) / rows_at_once * rows_at_once,
            rows_at_once, longest)) {}

  std::size_t blocks() const { return (channels + widest - 1) / widest; }
  std::size_t chunks() const { return (pixels + length - 1) / length; }
  /// Floats that two sums of every chunk take.
  std::size_t partial_floats() const { return chunks() * 2 * channels; }

  /// A piece: one chunk's pixels of one block's channels.
  struct piece {
    std::size_t chunk, first_pixel, pixels, first_channel, channels;
  };
  sweep_range range(const piece& at) const { return {at.pixels, at.channels, channels}; }
  /// Of its first number among the elements.
  std::size_t offset(const piece& at) const { return at.first_pixel * channels + at.first_channel; }

  /// Calls `body(piece)` for all pieces, spread over the threads.
  template <class Body>
  void for_each_piece(const Body& body) const {
    parallel_ranges(chunks() * blocks(), length * std::min(channels, widest),
                    [&](std::size_t first, std::size_t last) {
                      for (std::size_t i = first; i < last; ++i) {
                        const std::size_t chunk = i / blocks(), block = i % blocks();
                        body(piece{chunk, chunk * length, std::min(length, pixels - chunk * length),
                                   block * widest, std::min(widest, channels - block * widest)});
                      }
                    });
  }

  /// Calls `body(part, image)` for the parts of a piece that lie in one image each, or once for the
  /// whole where images need not be told `apart`.
  template <class Body>
  void for_each_image(const piece& whole, bool apart, const Body& body) const {
    if (!apart) return body(whole, std::size_t{0});
    const std::size_t end = whole.first_pixel + whole.pixels;
    for (std::size_t p = whole.first_pixel; p < end;) {
      const std::size_t image = p / image_pixels;
      const std::size_t next = std::min(end, (image + 1) * image_pixels);
      body(piece{whole.chunk, p, next - p, whole.first_channel, whole.channels}, image);
      p = next;
    }
  }

  /// Calls `body(first, last)` for ranges of channels, spread over the threads; each channel takes
  /// a number of every chunk.
  template <class Body>
  void for_each_channels(const Body& body) const {
    const std::size_t all = (channels + channel_block - 1) / channel_block;
    parallel_ranges(all, 2 * channel_block * chunks(), [&](std::size_t first, std::size_t last) {
      for (std::size_t block = first; block < last; ++block)
        body(block * channel_block, std::min(channels, (block + 1) * channel_block));
    });
  }
};

}  // namespace effnet::cpu::detail
