#pragma once

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include <effnet/cuda/driven_device.hpp>

namespace effnet::testing {

/// Calls that are run in their order, when somebody needs them.
class late_calls {
 public:
  static std::shared_ptr<late_calls> make() {
    auto calls = std::make_shared<late_calls>();
    all_.push_back(calls);
    return calls;
  }
  /// Those of all that there are.
  static void run_all() {
    for (std::size_t i = 0; i < all_.size(); ++i)
      if (const auto calls = all_[i].lock()) calls->run_until(calls->end());
  }
  void add(std::function<void()> call) { calls_.push_back(std::move(call)); }
  std::size_t end() const { return done_ + calls_.size(); }
  void run_until(std::size_t end) {
    while (done_ < end) {
      const std::function<void()> call = std::move(calls_.front());
      calls_.pop_front();
      ++done_;
      call();
    }
  }

 private:
  std::deque<std::function<void()>> calls_;
  std::size_t done_ = 0;
  inline static std::vector<std::weak_ptr<late_calls>> all_;
};

/// Waits before it is freed, as CUDA does.
class late_buffer {
 public:
  late_buffer() = default;
  explicit late_buffer(std::size_t bytes) : memory_(bytes) {}
  late_buffer(late_buffer&&) = default;
  late_buffer& operator=(late_buffer&& from) {
    late_calls::run_all();
    memory_ = std::move(from.memory_);
    return *this;
  }
  ~late_buffer() {
    if (memory_.bytes() > 0) late_calls::run_all();
  }
  std::byte* data() const { return memory_.data(); }
  std::size_t bytes() const { return memory_.bytes(); }

 private:
  aligned_buffer memory_;
};

/// A device with two streams that it runs as badly as their order allows: its own calls when
/// somebody waits for them, those of its upload lane at once or, too, only then. What is used
/// before it was made, or overwritten before it was used, comes out wrong every time.
template <bool EarlyUploads>
class late_device : public cuda::driven_device {
 public:
  using buffer = late_buffer;
  static constexpr bool host_memory = false;

  class upload_lane {
   public:
    explicit upload_lane(const late_device&) {}
    ~upload_lane() { wait(); }

    static std::pmr::memory_resource* host_memory() { return std::pmr::new_delete_resource(); }
    void upload(const std::byte* host, std::byte* memory, std::size_t bytes) {
      calls_->add([=] { std::memcpy(memory, host, bytes); });
      if (EarlyUploads) wait();
    }
    void after(const late_device& on) { order(on.calls_, calls_); }
    void before(const late_device& on) { order(calls_, on.calls_); }
    void wait() { calls_->run_until(calls_->end()); }

   private:
    using calls = std::shared_ptr<late_calls>;
    static void order(const calls& first, const calls& second) {
      second->add([first, end = first->end()] { first->run_until(end); });
    }

    calls calls_ = late_calls::make();
  };

  class temporary {
   public:
    temporary(const late_device& on, std::size_t bytes)
        : calls_(on.calls_), memory_(std::make_shared<aligned_buffer>(bytes)) {}
    ~temporary() {
      calls_->add([memory = memory_] {});  // freed in the order of the calls
    }
    std::byte* data() const { return memory_->data(); }

   private:
    std::shared_ptr<late_calls> calls_;
    std::shared_ptr<aligned_buffer> memory_;
  };

  void upload(const float* host, float* memory, std::size_t bytes) const {
    const auto* first = reinterpret_cast<const std::byte*>(host);
    calls_->add([=, copy = std::vector<std::byte>(first, first + bytes)] {
      std::memcpy(memory, copy.data(), bytes);
    });
  }
  void download(const float* memory, float* host, std::size_t bytes) const {
    wait();
    std::memcpy(host, memory, bytes);
  }
  void copy(const float* from, float* to, std::size_t bytes) const {
    calls_->add([=] { std::memcpy(to, from, bytes); });
  }
  void wait() const { calls_->run_until(calls_->end()); }
  template <class Function>
  void for_each_index(std::size_t count, const Function& function) const {
    run(cuda::for_each_index<Function>{count, function});
  }
  template <cuda::kernel K>
  void run(const K& k) const {
    calls_->add([=] { cuda::block_driver().run(k); });
  }

 private:
  std::shared_ptr<late_calls> calls_ = late_calls::make();
};

}  // namespace effnet::testing
