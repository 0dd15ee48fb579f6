#pragma once

#include <algorithm>
#include <vector>

#include <Eigen/Core>

#include <effnet/reference/convolution.hpp>
#include <effnet/reference/window.hpp>

namespace effnet::reference {

/// The gradient of a convolution by its source, from weights packed as for the forward pass.
class convolution_backward_data {
 public:
  explicit convolution_backward_data(const conv_problem& problem) : problem_(problem) {}

  static constexpr std::size_t scratch_bytes() { return 0; }
  static constexpr int layout() { return 0; }

  packed_weights pack(const float* oihw) const { return convolution(problem_).pack(oihw, nullptr); }
  void repack(const float* oihw, packed_weights& packed) const {
    convolution(problem_).repack(oihw, nullptr, packed);
  }

  /// Overwrites `diff_src`. One output pixel after the other, so the order of sums is fixed.
  void run(const packed_weights& packed, const float* diff_dst, float* diff_src) const {
    const auto in = static_cast<std::size_t>(problem_.src.c),
               out = static_cast<std::size_t>(problem_.out);
    std::fill_n(diff_src, problem_.src.elements(), 0.0f);
    const window windows(problem_);
    windows.for_each_pixel([&](int n, int y, int x) {
      windows.for_each_tap(n, y, x, [&](std::size_t tap, std::size_t offset) {
        float* to = diff_src + offset;
        if (problem_.depthwise()) {
          const float* weights = packed.weights.data() + tap * out;
          for (std::size_t c = 0; c < out; ++c) to[c] += diff_dst[c] * weights[c];
          return;
        }
        const Eigen::Map<const Eigen::VectorXf> gradient(diff_dst, static_cast<Eigen::Index>(out));
        for (std::size_t i = 0; i < in; ++i) {
          const float* row = packed.weights.data() + (tap * in + i) * out;
          to[i] +=
              gradient.dot(Eigen::Map<const Eigen::VectorXf>(row, static_cast<Eigen::Index>(out)));
        }
      });
      diff_dst += out;
    });
  }

 private:
  conv_problem problem_;
};

/// The gradient of a convolution by its weights and, unless `diff_bias` is null, its bias. Sums
/// over all pixels are in double.
class convolution_backward_weights {
 public:
  explicit convolution_backward_weights(const conv_problem& problem) : problem_(problem) {}

  static constexpr std::size_t scratch_bytes() { return 0; }

  /// Overwrites `diff_oihw` (depthwise C,1,k,k) and `diff_bias` (one an output channel).
  void run(const float* src, const float* diff_dst, float* diff_oihw, float* diff_bias) const {
    const auto in = static_cast<std::size_t>(problem_.src.c / problem_.groups);
    const auto out = static_cast<std::size_t>(problem_.out);
    const std::size_t taps =
        static_cast<std::size_t>(problem_.kernel) * static_cast<std::size_t>(problem_.kernel);
    std::vector<double> weights(taps * in * out), bias(out);  // (tap, in, out)
    const window windows(problem_);
    windows.for_each_pixel([&](int n, int y, int x) {
      windows.for_each_tap(n, y, x, [&](std::size_t tap, std::size_t offset) {
        const float* from = src + offset;
        for (std::size_t i = 0; i < in; ++i) {
          double* to = weights.data() + (tap * in + i) * out;
          if (problem_.depthwise())
            for (std::size_t o = 0; o < out; ++o) to[o] += double{from[o]} * double{diff_dst[o]};
          else
            for (std::size_t o = 0; o < out; ++o) to[o] += double{from[i]} * double{diff_dst[o]};
        }
      });
      for (std::size_t o = 0; o < out; ++o) bias[o] += double{diff_dst[o]};
      diff_dst += out;
    });
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t i = 0; i < in; ++i)
        for (std::size_t t = 0; t < taps; ++t)
          diff_oihw[(o * in + i) * taps + t] = static_cast<float>(weights[(t * in + i) * out + o]);
      if (diff_bias != nullptr) diff_bias[o] = static_cast<float>(bias[o]);
    }
  }

 private:
  conv_problem problem_;
};

}  // namespace effnet::reference
