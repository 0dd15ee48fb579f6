#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/backend/normalised.hpp>
#include <effnet/cpu/norm_chunks.hpp>
#include <effnet/cpu/normalised_kernels.hpp>

/// Batch norm in training with what follows it. Sums are taken over fixed pieces of the tensor and
/// added up in double in their order: the results do not depend on the number of threads.
namespace effnet::cpu {

/// What `batch_statistics` and `normalise_backward` need for a tensor of shape `s`.
inline std::size_t norm_scratch_bytes(const shape4& s) {
  const detail::norm_chunks cut(s);
  return (cut.partial_floats() + 2 * cut.channels) * sizeof(float);
}

namespace detail {

/// Channels of a piece of a sum over one image: several pieces an image keep threads busy.
inline constexpr std::size_t pool_block = 128;

/// gate * keep and diff_pool / (h w) of one image's channels.
struct factor_rows {
  float factor[norm_chunks::widest], share[norm_chunks::widest];
};

/// Calls `run(piece, rows)` for every piece, cut up further where images differ.
template <class Run>
void for_each_part(const normalised& what, const float* diff_pool, const norm_chunks& cut,
                   const Run& run) {
  const bool apart = what.gate != nullptr || what.keep != nullptr || diff_pool != nullptr;
  const float each = 1.0f / static_cast<float>(cut.image_pixels);
  cut.for_each_piece([&](const norm_chunks::piece& whole) {
    factor_rows rows;
    cut.for_each_image(whole, apart, [&](const norm_chunks::piece& at, std::size_t image) {
      const std::size_t first = image * cut.channels + at.first_channel;
      const float keep = what.keep != nullptr ? what.keep[image] : 1.0f;
      for (std::size_t c = 0; c < at.channels; ++c) {
        rows.factor[c] = what.gate != nullptr ? what.gate[first + c] * keep : keep;
        rows.share[c] = diff_pool != nullptr ? diff_pool[first + c] * each : 0.0f;
      }
      run(at, rows);
    });
  });
}

/// The gradient of a piece. Without `diff_dst` its factor is 0, and the source stands in for it.
template <class Formula>
norm_gradient<Formula> gradient_of(Formula formula, const normalised& what, const float* diff_dst,
                                   const norm_chunks& cut, const norm_chunks::piece& at,
                                   const factor_rows& rows) {
  static constexpr float zeros[norm_chunks::widest] = {};
  const bool given = diff_dst != nullptr;
  return {formula,
          what.src.data + cut.offset(at),
          (given ? diff_dst : what.src.data) + cut.offset(at),
          what.constants.scale + at.first_channel,
          what.constants.shift + at.first_channel,
          what.constants.mean + at.first_channel,
          given ? rows.factor : zeros,
          rows.share};
}

/// Of every chunk the sums of g and g (src - mean), of all channels each. `kept`: where g goes, or
/// null.
template <class Formula>
void sum_gradients(Formula formula, const normalised& what, const float* diff_dst,
                   const float* diff_pool, const norm_chunks& cut, float* partials, float* kept,
                   isa best) {
  std::fill_n(partials, cut.partial_floats(), 0.0f);
  for_each_part(what, diff_pool, cut, [&](const norm_chunks::piece& at, const factor_rows& rows) {
    float* sums = partials + at.chunk * 2 * cut.channels + at.first_channel;
    sweep(gradient_sums_kernel<Formula>{gradient_of(formula, what, diff_dst, cut, at, rows), sums,
                                        sums + cut.channels,
                                        kept != nullptr ? kept + cut.offset(at) : nullptr},
          cut.range(at), best);
  });
}

/// Calls `sum(first, range, channel, sums)` for pieces of an image's pixels, where `sum` adds to
/// `Count` rows of `pool_block` floats, and `done(image, channel, count, totals)` with the totals
/// of `count` channels, [Count][pool_block]. Several blocks of channels an image keep threads busy.
template <std::size_t Count, class Sum, class Done>
void sum_images(const shape4& shape, const Sum& sum, const Done& done) {
  const norm_chunks cut(shape);
  const std::size_t blocks = (cut.channels + pool_block - 1) / pool_block;
  const auto images = static_cast<std::size_t>(shape.n);
  const std::size_t work = cut.image_pixels * std::min(cut.channels, pool_block);
  parallel_ranges(images * blocks, work, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      const std::size_t image = i / blocks, channel = i % blocks * pool_block;
      const std::size_t count = std::min(pool_block, cut.channels - channel);
      const std::size_t start = image * cut.image_pixels * cut.channels + channel;
      float sums[Count * pool_block] = {};
      if (cut.image_pixels <= norm_chunks::longest) {
        sum(start, sweep_range{cut.image_pixels, count, cut.channels}, channel, sums);
        done(image, channel, count, sums);
        continue;
      }
      double totals[Count * pool_block] = {};
      for (std::size_t p = 0; p < cut.image_pixels; p += norm_chunks::longest) {
        std::fill_n(sums, Count * pool_block, 0.0f);
        sum(start + p * cut.channels,
            sweep_range{std::min(norm_chunks::longest, cut.image_pixels - p), count, cut.channels},
            channel, sums);
        for (std::size_t k = 0; k < Count * pool_block; ++k) totals[k] += double{sums[k]};
      }
      done(image, channel, count, totals);
    }
  });
}

/// Turns a channel's sums of g and of g (src - mean) into what the second pass subtracts, and into
/// the gradients of weight and bias where they are asked for.
struct gradient_ends {
  const norm_constants& constants;
  double pixels;
  bool of_batch;
  float *diff_weight, *diff_bias;
  float *offset, *slope;  ///< zero where `of_batch` is not

  void end(std::size_t c, double sum, double uncentred) const {
    const double product = uncentred * double{constants.inverse[c]};
    if (diff_bias != nullptr) diff_bias[c] = static_cast<float>(sum);
    if (diff_weight != nullptr) diff_weight[c] = static_cast<float>(product);
    if (!of_batch) return;
    const double share = double{constants.scale[c]} / pixels;
    offset[c] = static_cast<float>(share * sum);
    slope[c] = static_cast<float>(share * product * double{constants.inverse[c]});
  }
};

/// The sums over all images, from those that `gate_backward` has taken of each.
inline void sum_gates(const normalised& what, const float* diff_pool, const float* gate_sums,
                      const norm_chunks& cut, const gradient_ends& ends) {
  const double share = 1 / static_cast<double>(cut.image_pixels);
  cut.for_each_channels([&](std::size_t first, std::size_t last) {
    double sums[channel_block] = {}, products[channel_block] = {};
    for (std::size_t n = 0; n < static_cast<std::size_t>(what.src.shape.n); ++n) {
      const float* of_image = gate_sums + n * 4 * cut.channels;
      const double keep = what.keep != nullptr ? double{what.keep[n]} : 1.0;
      for (std::size_t c = first; c < last; ++c) {
        const std::size_t at = n * cut.channels + c;
        const double factor = what.gate != nullptr ? keep * double{what.gate[at]} : keep;
        const double pool = diff_pool != nullptr ? share * double{diff_pool[at]} : 0.0;
        sums[c - first] += factor * double{of_image[c]} + pool * double{of_image[cut.channels + c]};
        products[c - first] += factor * double{of_image[2 * cut.channels + c]} +
                               pool * double{of_image[3 * cut.channels + c]};
      }
    }
    for (std::size_t c = first; c < last; ++c) ends.end(c, sums[c - first], products[c - first]);
  });
}

/// The second pass: diff_src = scale * g - offset - slope * (src - mean).
template <class Formula>
void apply_gradients(Formula formula, const normalised& what, const float* diff_dst,
                     const float* diff_pool, const norm_chunks& cut, const gradient_ends& ends,
                     tensor_view diff_src, isa best) {
  for_each_part(what, diff_pool, cut, [&](const auto& at, const auto& rows) {
    sweep(backward_kernel<Formula>{gradient_of(formula, what, diff_dst, cut, at, rows),
                                   diff_src.data + cut.offset(at), ends.offset + at.first_channel,
                                   ends.slope + at.first_channel},
          cut.range(at), best);
  });
}

}  // namespace detail

/// Mean and biased variance of every channel over n, h, w. Each piece is centred by the mean of its
/// first pixels, so that a large mean does not swallow a small variance.
inline void batch_statistics(const_tensor_view src, float* mean, float* variance,
                             std::byte* scratch, isa best = best_isa()) {
  const detail::norm_chunks cut(src.shape);
  auto* partials = reinterpret_cast<float*>(scratch);  // of every chunk: means, squares
  cut.for_each_piece([&](const detail::norm_chunks::piece& at) {
    const float* from = src.data + cut.offset(at);
    float* means = partials + at.chunk * 2 * cut.channels + at.first_channel;
    float* squares = means + cut.channels;
    float near[detail::norm_chunks::widest] = {};
    detail::sweep_range some = cut.range(at);
    some.pixels = std::min(at.pixels, detail::rows_at_once);
    const auto add = [&](const detail::sweep_range& range) {
      std::fill_n(means, at.channels, 0.0f);
      std::fill_n(squares, at.channels, 0.0f);
      detail::sweep(detail::moments_kernel{from, near, means, squares}, range, best);
    };
    add(some);
    for (std::size_t c = 0; c < at.channels; ++c)
      near[c] = means[c] / static_cast<float>(some.pixels);
    add(cut.range(at));
    const double count = static_cast<double>(at.pixels);
    for (std::size_t c = 0; c < at.channels; ++c) {
      const double sum = double{means[c]};
      means[c] = static_cast<float>(double{near[c]} + sum / count);
      squares[c] = static_cast<float>(double{squares[c]} - sum * sum / count);
    }
  });
  cut.for_each_channels([&](std::size_t first, std::size_t last) {
    double sums[channel_block] = {}, spread[channel_block] = {};
    const double all = static_cast<double>(cut.pixels);
    const auto each = [&](const auto& chunk) {
      for (std::size_t i = 0; i < cut.chunks(); ++i) {
        const float* means = partials + i * 2 * cut.channels;
        const double count = static_cast<double>(std::min(cut.length, cut.pixels - i * cut.length));
        for (std::size_t c = first; c < last; ++c)
          chunk(c - first, count, double{means[c]}, double{means[cut.channels + c]});
      }
    };
    each(
        [&](std::size_t c, double count, double of_chunk, double) { sums[c] += count * of_chunk; });
    each([&](std::size_t c, double count, double of_chunk, double squares) {
      const double off = of_chunk - sums[c] / all;
      spread[c] += squares + count * off * off;
    });
    for (std::size_t c = first; c < last; ++c) {
      mean[c] = static_cast<float>(sums[c - first] / all);
      variance[c] = static_cast<float>(std::max(spread[c - first], 0.0) / all);
    }
  });
}

/// dst = what + residual (null: 0); `dst` may be `residual`.
inline void normalise_forward(const normalised& what, const float* residual, tensor_view dst,
                              isa best = best_isa()) {
  detail::with_formula(what.act, [&](auto formula) {
    using formula_type = decltype(formula);
    const detail::norm_chunks cut(dst.shape);
    detail::for_each_part(what, nullptr, cut, [&](const auto& at, const auto& rows) {
      const std::size_t first = cut.offset(at);
      const float *src = what.src.data + first, *scale = what.constants.scale + at.first_channel,
                  *shift = what.constants.shift + at.first_channel;
      float* to = dst.data + first;
      if (residual != nullptr)
        detail::sweep(detail::forward_kernel<formula_type, true>{formula, src, residual + first, to,
                                                                 scale, shift, rows.factor},
                      cut.range(at), best);
      else
        detail::sweep(detail::forward_kernel<formula_type, false>{formula, src, nullptr, to, scale,
                                                                  shift, rows.factor},
                      cut.range(at), best);
    });
  });
}

/// Mean over h, w of act(scale * src + shift) into [n,1,1,c].
inline void normalise_pool(const normalised& what, tensor_view dst, isa best = best_isa()) {
  const auto pixels = static_cast<double>(what.src.shape.h) * static_cast<double>(what.src.shape.w);
  const auto channels = static_cast<std::size_t>(what.src.shape.c);
  detail::with_formula(what.act, [&](auto formula) {
    detail::sum_images<1>(
        what.src.shape,
        [&](std::size_t first, const detail::sweep_range& range, std::size_t channel, float* sums) {
          detail::sweep(detail::sum_kernel<decltype(formula)>{formula, what.src.data + first,
                                                              what.constants.scale + channel,
                                                              what.constants.shift + channel, sums},
                        range, best);
        },
        [&](std::size_t image, std::size_t channel, std::size_t count, const auto* totals) {
          for (std::size_t c = 0; c < count; ++c)
            dst.data[image * channels + channel + c] =
                static_cast<float>(double{totals[c]} / pixels);
        });
  });
}

/// diff_gate[n,c] = sum over h, w of diff_dst * keep * act(scale * src + shift), and into `sums`,
/// [n,1,4,c], what `normalise_backward` would have to sum up in a pass of its own.
inline void gate_backward(const normalised& what, const_tensor_view diff_dst, tensor_view diff_gate,
                          float* sums, isa best = best_isa()) {
  const auto channels = static_cast<std::size_t>(what.src.shape.c);
  detail::with_formula(what.act, [&](auto formula) {
    using kernel = detail::gate_sums_kernel<decltype(formula)>;
    detail::sum_images<kernel::sums>(
        what.src.shape,
        [&](std::size_t first, const detail::sweep_range& range, std::size_t channel, float* rows) {
          detail::sweep(kernel{formula, what.src.data + first, diff_dst.data + first,
                               what.constants.scale + channel, what.constants.shift + channel,
                               what.constants.mean + channel, rows, detail::pool_block},
                        range, best);
        },
        [&](std::size_t image, std::size_t channel, std::size_t count, const auto* totals) {
          const double keep = what.keep != nullptr ? double{what.keep[image]} : 1.0;
          for (std::size_t c = 0; c < count; ++c)
            diff_gate.data[image * channels + channel + c] =
                static_cast<float>(double{totals[c]} * keep);
          for (std::size_t k = 1; k < kernel::sums; ++k)
            for (std::size_t c = 0; c < count; ++c)
              sums[(image * 4 + k - 1) * channels + channel + c] =
                  static_cast<float>(totals[k * detail::pool_block + c]);
        });
  });
}

/// As `training_backend` defines it: one pass for the sums, where they are needed and
/// `gate_backward` has not left them in `gate_sums` (null: it has not), and one that applies them.
/// The first keeps g where the activation's derivative takes longer than memory does.
inline void normalise_backward(const normalised& what, const float* diff_dst,
                               const float* diff_pool, const float* gate_sums, bool of_batch,
                               tensor_view diff_src, float* diff_weight, float* diff_bias,
                               std::byte* scratch, isa best = best_isa()) {
  detail::with_formula(what.act, [&](auto formula) {
    const detail::norm_chunks cut(diff_src.shape);
    auto* partials = reinterpret_cast<float*>(scratch);
    float* offset = partials + cut.partial_floats();
    const detail::gradient_ends ends{what.constants,
                                     static_cast<double>(cut.pixels),
                                     of_batch,
                                     diff_weight,
                                     diff_bias,
                                     offset,
                                     offset + cut.channels};
    std::fill_n(offset, 2 * cut.channels, 0.0f);
    const bool keeps = best != isa::avx512 && of_batch && gate_sums == nullptr &&
                       (what.act == activation::silu || what.act == activation::sigmoid);
    if (gate_sums != nullptr) {
      detail::sum_gates(what, diff_pool, gate_sums, cut, ends);
    } else if (of_batch || diff_weight != nullptr || diff_bias != nullptr) {
      detail::sum_gradients(formula, what, diff_dst, diff_pool, cut, partials,
                            keeps ? diff_src.data : nullptr, best);
      cut.for_each_channels([&](std::size_t first, std::size_t last) {
        double sums[channel_block] = {}, products[channel_block] = {};
        for (std::size_t i = 0; i < cut.chunks(); ++i)
          for (std::size_t c = first; c < last; ++c) {
            sums[c - first] += double{partials[2 * i * cut.channels + c]};
            products[c - first] += double{partials[(2 * i + 1) * cut.channels + c]};
          }
        for (std::size_t c = first; c < last; ++c)
          ends.end(c, sums[c - first], products[c - first]);
      });
    }
    if (keeps)
      detail::apply_gradients(detail::unchanged{}, {.src = what.src, .constants = what.constants},
                              diff_src.data, nullptr, cut, ends, diff_src, best);
    else
      detail::apply_gradients(formula, what, diff_dst, diff_pool, cut, ends, diff_src, best);
  });
}

}  // namespace effnet::cpu
