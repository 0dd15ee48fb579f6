#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include <Eigen/Core>

#include <effnet/backend/problems.hpp>

namespace effnet::reference {

/// Weights as the ops below read them: dense (kernel*kernel*in) x out, so that a pixel's window
/// times it gives all output channels; depthwise (kernel*kernel) x channels. Bias may be empty.
struct packed_weights {
  std::vector<float> weights;
  std::vector<float> bias;
};

/// A convolution as a matrix product of gathered windows (im2col); a depthwise one as its sum.
class convolution {
 public:
  explicit convolution(const conv_problem& problem) : problem_(problem) {}

  static constexpr std::string_view implementation() { return "reference"; }
  static constexpr int layout() { return 0; }  // one layout serves every shape

  std::size_t scratch_bytes() const {
    return problem_.depthwise() ? 0 : sizeof(float) * window() * chunk;
  }

  /// From OIHW (depthwise: C,1,k,k).
  packed_weights pack(const float* oihw, const float* bias) const {
    packed_weights packed{
        std::vector<float>(problem_.weights()),
        std::vector<float>(bias != nullptr ? static_cast<std::size_t>(problem_.out) : 0)};
    repack(oihw, bias, packed);
    return packed;
  }
  /// The same into what `pack` made, where a bias was given then.
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    const std::size_t in = static_cast<std::size_t>(problem_.src.c / problem_.groups);
    const auto out = static_cast<std::size_t>(problem_.out);
    const auto taps =
        static_cast<std::size_t>(problem_.kernel) * static_cast<std::size_t>(problem_.kernel);
    for (std::size_t o = 0; o < out; ++o)
      for (std::size_t i = 0; i < in; ++i)
        for (std::size_t t = 0; t < taps; ++t)
          packed.weights[(t * in + i) * out + o] = oihw[(o * in + i) * taps + t];
    if (bias != nullptr) packed.bias.assign(bias, bias + packed.bias.size());
  }

  void forward(const packed_weights& packed, const float* src, float* dst, float* scratch) const {
    if (problem_.depthwise())
      depthwise(packed, src, dst);
    else
      dense(packed, src, dst, scratch);
  }

 private:
  /// Pixels a product. A compile-time bound of 32 rows is also what keeps Eigen from spreading the
  /// product over OpenMP threads where a program is built with OpenMP: results and thread use do
  /// not depend on which translation unit instantiated it.
  static constexpr int chunk = 32;
  using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor, chunk>;
  using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  std::size_t window() const {
    return static_cast<std::size_t>(problem_.kernel) * static_cast<std::size_t>(problem_.kernel) *
           static_cast<std::size_t>(problem_.src.c);
  }
  const float* pixel(const float* src, int n, int y, int x) const {
    const shape4& s = problem_.src;
    return src + ((static_cast<std::size_t>(n) * static_cast<std::size_t>(s.h) +
                   static_cast<std::size_t>(y)) *
                      static_cast<std::size_t>(s.w) +
                  static_cast<std::size_t>(x)) *
                     static_cast<std::size_t>(s.c);
  }
  bool inside(int y, int x) const {
    return y >= 0 && y < problem_.src.h && x >= 0 && x < problem_.src.w;
  }

  /// Copies the window of output pixel (n, y, x), channels innermost; zeros outside the image.
  void gather(const float* src, int n, int y, int x, float* to) const {
    const auto channels = static_cast<std::size_t>(problem_.src.c);
    for (int ky = 0; ky < problem_.kernel; ++ky)
      for (int kx = 0; kx < problem_.kernel; ++kx, to += channels) {
        const int sy = y * problem_.stride - problem_.pad.top + ky;
        const int sx = x * problem_.stride - problem_.pad.left + kx;
        if (inside(sy, sx))
          std::copy_n(pixel(src, n, sy, sx), channels, to);
        else
          std::fill_n(to, channels, 0.0f);
      }
  }

  void dense(const packed_weights& packed, const float* src, float* dst, float* scratch) const {
    const shape4 out = problem_.dst();
    const auto depth = static_cast<Eigen::Index>(window());
    const Eigen::Map<const matrix> weights(packed.weights.data(), depth, out.c);
    const auto height = static_cast<std::size_t>(out.h), width = static_cast<std::size_t>(out.w);
    const std::size_t pixels = static_cast<std::size_t>(out.n) * height * width;
    for (std::size_t first = 0; first < pixels; first += chunk) {
      const auto count = static_cast<int>(std::min<std::size_t>(chunk, pixels - first));
      for (int i = 0; i < count; ++i) {
        const std::size_t at = first + static_cast<std::size_t>(i);
        gather(src, static_cast<int>(at / (height * width)), static_cast<int>(at / width % height),
               static_cast<int>(at % width), scratch + i * depth);
      }
      Eigen::Map<rows> product(dst + first * static_cast<std::size_t>(out.c), count, out.c);
      product.noalias() = Eigen::Map<const rows>(scratch, count, depth) * weights;
      if (!packed.bias.empty())
        product.rowwise() += Eigen::Map<const Eigen::RowVectorXf>(packed.bias.data(), out.c);
    }
  }

  void depthwise(const packed_weights& packed, const float* src, float* dst) const {
    const shape4 out = problem_.dst();
    const auto channels = static_cast<std::size_t>(out.c);
    for (int n = 0; n < out.n; ++n)
      for (int y = 0; y < out.h; ++y)
        for (int x = 0; x < out.w; ++x, dst += channels) {
          if (packed.bias.empty())
            std::fill_n(dst, channels, 0.0f);
          else
            std::copy_n(packed.bias.data(), channels, dst);
          const float* tap = packed.weights.data();
          for (int ky = 0; ky < problem_.kernel; ++ky)
            for (int kx = 0; kx < problem_.kernel; ++kx, tap += channels) {
              const int sy = y * problem_.stride - problem_.pad.top + ky;
              const int sx = x * problem_.stride - problem_.pad.left + kx;
              if (!inside(sy, sx)) continue;
              const float* from = pixel(src, n, sy, sx);
              for (std::size_t c = 0; c < channels; ++c) dst[c] += from[c] * tap[c];
            }
        }
  }

  conv_problem problem_;
};

}  // namespace effnet::reference
