#pragma once

#include <vector>

#include <effnet/backend/backend.hpp>

namespace effnet::testing {

/// Numbers in a backend's memory, which the processor need not reach.
template <backend B>
class device_vector {
 public:
  device_vector(const B& on, const std::vector<float>& from)
      : on_(&on), count_(from.size()), memory_(count_ * sizeof(float)) {
    if (count_ > 0) on.upload(from.data(), data(), count_ * sizeof(float));
  }
  /// Null where there are none.
  float* data() const { return count_ > 0 ? reinterpret_cast<float*>(memory_.data()) : nullptr; }
  std::vector<float> host() const {
    std::vector<float> copy(count_);
    if (count_ > 0) on_->download(data(), copy.data(), count_ * sizeof(float));
    return copy;
  }

 private:
  const B* on_;
  std::size_t count_;
  typename B::buffer memory_;
};

}  // namespace effnet::testing
