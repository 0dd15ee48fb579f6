#pragma once

#include <cstddef>
#include <cstdint>

#include <effnet/arch/convention.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/data/sample_look.hpp>
#include <effnet/data/training_sample.hpp>

namespace effnet {

/// Makes training samples of a set's pictures. Any number of threads may ask it at once. The set
/// must outlive it.
template <data_set Set>
class sample_maker {
 public:
  sample_maker(const Set& set, const input_rule& input, std::uint64_t seed,
               std::size_t /*cache_bytes*/ = 0)
      : set_(&set), levels_(input), seed_(seed) {}

  /// Sample `index` as it looks in this epoch; `dst` receives look.size x look.size x 3 floats.
  /// Throws `image_error` or `file_error` where its picture cannot be had.
  void make(std::size_t index, std::uint64_t epoch, const sample_look& look, float* dst) const {
    const sample_key key{seed_, epoch, index};
    make_training_sample(set_->image(index), look, levels_, key, dst);
  }

 private:
  const Set* set_;
  pixel_levels levels_;
  std::uint64_t seed_;
};

}  // namespace effnet
