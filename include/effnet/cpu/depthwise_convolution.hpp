#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/cpu/depthwise_groups.hpp>
#include <effnet/cpu/depthwise_weights.hpp>
#include <effnet/cpu/parallel.hpp>

namespace effnet::cpu {

/// A depthwise convolution in training, bare, of a source as it is or still to be normalised: that
/// is made row by row in the cache. Inference has `expand_depthwise`.
class depthwise_convolution {
 public:
  explicit depthwise_convolution(const conv_problem& problem, bool normalised_src = false,
                                 isa best = best_isa())
      : problem_(problem),
        best_(best),
        normalised_(normalised_src),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        groups_(problem, best),
        weights_(problem, best) {
    // Parts of an image's rows where images and panels are too few for the threads.
    const std::size_t whole = images() * groups_.count();
    parts_ =
        std::clamp<std::size_t>(2 * workers_ / whole, 1, std::max<std::size_t>(1, height() / 8));
  }

  std::size_t scratch_bytes() const { return workers_ * groups_.floats() * sizeof(float); }
  weight_layout layout() const { return weights_.layout(); }
  std::string_view implementation() const {
    return for_isa<std::string_view>(best_, "depthwise_portable", "depthwise_avx2",
                                     "depthwise_avx512");
  }
  static std::string_view reason() { return "rows of the source are made in the cache"; }

  packed_weights pack(const float* oihw, const float* bias) const {
    return weights_.pack(oihw, bias);
  }
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    weights_.repack(oihw, bias, packed);
  }
  /// For the gradient by the source, which is this convolution of the result's.
  packed_weights pack_turned(const float* oihw) const { return weights_.pack_turned(oihw); }
  void repack_turned(const float* oihw, packed_weights& packed) const {
    weights_.repack_turned(oihw, packed);
  }

  bool reads_normalised() const { return normalised_; }
  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    run(packed, {.plain = src}, dst, scratch);
  }
  void forward(const packed_weights& packed, const normalised& src, float* dst,
               std::byte* scratch) const {
    run(packed, {.becomes = &src}, dst, scratch);
  }

 private:
  std::size_t images() const { return static_cast<std::size_t>(problem_.src.n); }
  std::size_t height() const { return static_cast<std::size_t>(problem_.dst().h); }

  void run(const packed_weights& packed, const depthwise_source& src, float* dst,
           std::byte* scratch) const {
    const auto kernel = static_cast<std::size_t>(problem_.kernel);
    const auto width = static_cast<std::size_t>(problem_.dst().w);
    const auto channels = static_cast<std::size_t>(problem_.out);
    const auto* weights = reinterpret_cast<const float*>(packed.weights.data());
    const auto* bias = reinterpret_cast<const float*>(packed.bias.data());
    const panels& panels = groups_.panels();
    parallel_items(images() * groups_.count() * parts_, [&](std::size_t worker, std::size_t item) {
      const std::size_t part = item % parts_, group = item / parts_ % groups_.count();
      const std::size_t image = item / parts_ / groups_.count();
      groups_.pass(src, image, group, height() * part / parts_, height() * (part + 1) / parts_,
                   reinterpret_cast<float*>(scratch) + worker * groups_.floats(),
                   [&](std::size_t y, std::size_t panel, const float* const* rows) {
                     const std::size_t channel = panels.first(panel);
                     make_depthwise_row(
                         {.rows = rows,
                          .kernel = kernel,
                          .stride = static_cast<std::size_t>(problem_.stride),
                          .width = width,
                          .weights = weights + channel * kernel * kernel,
                          .columns = panels.columns(panel),
                          .bias = bias + channel,
                          .act = activation::identity,
                          .channels = panels.channels(panel),
                          .dst = dst + (image * height() + y) * width * channels + channel,
                          .dst_step = channels,
                          .sums = nullptr},
                         best_);
                   });
    });
  }

  conv_problem problem_;
  isa best_;
  bool normalised_;
  std::size_t workers_;
  depthwise_groups groups_;
  depthwise_weights weights_;
  std::size_t parts_ = 1;
};

}  // namespace effnet::cpu
