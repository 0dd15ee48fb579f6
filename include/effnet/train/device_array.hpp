#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace effnet {

/// Items in a device's memory, which the processor reaches or does not.
template <class T, class Device>
class device_array {
 public:
  device_array() = default;
  explicit device_array(std::size_t count) : count_(count), memory_(count * sizeof(T)) {}
  device_array(const Device& on, std::span<const T> from) : device_array(from.size()) {
    write(on, 0, from);
  }

  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  T* data() const { return reinterpret_cast<T*>(memory_.data()); }

  void write(const Device& on, std::size_t at, std::span<const T> from) {
    if (from.empty()) return;
    on.upload(reinterpret_cast<const float*>(from.data()), reinterpret_cast<float*>(data() + at),
              from.size_bytes());
  }
  void read(const Device& on, std::span<T> to) const {
    if (to.empty()) return;
    on.download(reinterpret_cast<const float*>(data()), reinterpret_cast<float*>(to.data()),
                to.size_bytes());
  }
  void fill(const Device& on, const T& value) {
    constexpr std::size_t at_once = 1 << 16;
    const std::vector<T> some(std::min(at_once, count_), value);
    for (std::size_t at = 0; at < count_; at += at_once)
      write(on, at, std::span(some).first(std::min(at_once, count_ - at)));
  }

 private:
  std::size_t count_ = 0;
  typename Device::buffer memory_;
};

/// Numbers that come from the processor's memory, batch by batch, where a device reads them.
template <class Device>
class staged_floats {
 public:
  /// They stay until the next ones are placed.
  const float* place([[maybe_unused]] const Device& on, std::span<const float> host) {
    if constexpr (Device::host_memory) {
      return host.data();
    } else {
      if (memory_.size() < host.size()) {
        memory_ = {};  // the old ones first: both at once would be the peak
        memory_ = device_array<float, Device>(host.size());
      }
      memory_.write(on, 0, host);
      return memory_.data();
    }
  }

 private:
  device_array<float, Device> memory_;
};

}  // namespace effnet
