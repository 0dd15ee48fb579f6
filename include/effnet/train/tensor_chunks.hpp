#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace effnet {

/// A network's tensors in pieces of bounded length, which threads share. The pieces depend on the
/// tensors alone, so that sums over them have the same bits on any number of threads.
class tensor_chunks {
 public:
  static constexpr std::size_t length = 1 << 14;

  struct chunk {
    std::size_t tensor = 0;
    std::size_t first = 0, count = 0;  ///< elements of the tensor
    std::size_t begin = 0;             ///< elements of all chunks before
  };

  void add(std::size_t tensor, std::size_t elements) {
    for (std::size_t first = 0; first < elements; first += length) {
      const std::size_t count = std::min(length, elements - first);
      chunks_.push_back({tensor, first, count, elements_});
      elements_ += count;
    }
  }

  std::size_t count() const { return chunks_.size(); }
  std::size_t elements() const { return elements_; }
  const chunk& operator[](std::size_t i) const { return chunks_[i]; }

  /// Calls visit(number, chunk) for all chunks, on the device's threads.
  template <class Device, class Visitor>
  void for_each(const Device& device, const Visitor& visit) const {
    device.in_parallel(elements_, [&](std::size_t first, std::size_t last) {
      const auto starts = [](const chunk& c, std::size_t element) { return c.begin < element; };
      auto at = std::lower_bound(chunks_.begin(), chunks_.end(), first, starts);
      for (; at != chunks_.end() && at->begin < last; ++at)
        visit(static_cast<std::size_t>(at - chunks_.begin()), *at);
    });
  }

 private:
  std::vector<chunk> chunks_;
  std::size_t elements_ = 0;
};

}  // namespace effnet
