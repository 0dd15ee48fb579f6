#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include <effnet/core/error.hpp>
#include <effnet/core/rng.hpp>

namespace effnet {

/// What random numbers are for. Draws for one purpose never shift those for another. The values
/// are part of what a seed means; do not renumber.
enum class draw_purpose : std::uint64_t {
  shuffle = 1,
  crop = 2,
  flip = 3,
  augment = 4,
  erase = 5,
  mixup = 6,
  cutmix = 7,
  image_size = 8,
  search = 9,
};

/// Random numbers for one purpose on one sample in one epoch. Number k is a hash of (seed, epoch,
/// sample, purpose, k), so that what a sample gets depends neither on threads nor on the order in
/// which samples are visited, and nothing has to be stored for a resume. An object is a key and a
/// counter: make one where numbers are needed, and do not share it between threads.
///
/// Integers and uniforms are the same on every machine; normal, gamma and beta go through the
/// mathematical library and are the same where that is.
class random_draws {
 public:
  random_draws(std::uint64_t seed, std::uint64_t epoch, std::uint64_t sample, draw_purpose purpose)
      : key_(mix64(mix64(mix64(mix64(seed) ^ epoch) ^ sample) ^
                   static_cast<std::uint64_t>(purpose))) {}

  /// 64 random bits.
  std::uint64_t bits() { return mix64(key_ ^ mix64(count_++)); }

  /// In [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

  /// In [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// One of low, ..., end − 1, each with the same probability. Throws `error` where there is none.
  std::int64_t integer(std::int64_t low, std::int64_t end) {
    if (low >= end)
      throw error(sentence("cannot draw an integer from ", low, " up to but not including ", end,
                           "; the range is empty"));
    const std::uint64_t range = static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(low);
    // 2^64 mod range: as many of the lowest numbers are refused, and the rest divides evenly.
    const std::uint64_t refused = (0 - range) % range;
    std::uint64_t number = bits();
    while (number < refused) number = bits();
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + number % range);
  }

  /// True with this probability: never for 0, always for 1.
  bool bernoulli(double probability) { return uniform() < probability; }

  /// Mean 0, variance 1 (Box, Muller 1958).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

  /// Gamma of this shape and scale 1 (Marsaglia, Tsang 2000).
  double gamma(double shape) { return std::exp(log_gamma_draw(shape)); }

  /// Beta(a, b) in [0, 1]. Small shapes, whose gammas would vanish, are drawn as logarithms.
  double beta(double a, double b) {
    const double first = log_gamma_draw(a);
    const double second = log_gamma_draw(b);
    return 1 / (1 + std::exp(second - first));
  }

 private:
  double log_gamma_draw(double shape) {
    if (!(shape > 0 && shape < 1e15))
      throw error(sentence("cannot draw from a gamma or beta distribution of the shape ", shape,
                           "; it must be positive and finite"));
    // Below 1: gamma(shape) = gamma(shape + 1) · u^(1 / shape).
    double lifted = 0;
    if (shape < 1) {
      lifted = std::log(1 - uniform()) / shape;
      shape += 1;
    }
    const double d = shape - 1.0 / 3;
    const double c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = normal();
      const double root = 1 + c * x;
      if (root <= 0) continue;
      const double v = root * root * root;
      if (std::log(1 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v))
        return std::log(d * v) + lifted;
    }
  }

  std::uint64_t key_;
  std::uint64_t count_ = 0;
};

}  // namespace effnet
