#pragma once

#include <cstdint>
#include <vector>

#include <effnet/search/search_algorithm.hpp>

namespace effnet {

/// Candidates drawn one by one, which learn nothing: what EfficientNetV2's section 3.2 names beside
/// reinforcement learning.
class random_search {
 public:
  static constexpr std::string_view name = "random";

  random_search(const search_space& space, std::uint64_t seed, std::size_t batch = 1)
      : space_(&space), seed_(seed), batch_(batch) {
    if (batch < 1) throw error("random search needs a batch of at least 1");
  }

  std::size_t batch() const { return batch_; }
  candidate propose() {
    random_draws draws(seed_, 0, proposed_++, draw_purpose::search);
    return space_->sample(draws);
  }
  void learn(const std::vector<double>&) {}

 private:
  const search_space* space_;
  std::uint64_t seed_, proposed_ = 0;
  std::size_t batch_;
};

}  // namespace effnet
