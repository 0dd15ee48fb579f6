#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/core/aligned_buffer.hpp>
#include <effnet/core/error.hpp>
#include <effnet/cuda/block_driver.hpp>
#include <effnet/cuda/device.hpp>
#include <effnet/cuda/driven_upload_lane.hpp>
#include <effnet/cuda/for_each_index.hpp>

namespace effnet::cuda {

/// The processor in the place of a device: its memory, and kernels driven block by block with every
/// access checked. Slow, and there to prove what runs on a device.
class driven_device {
 public:
  using buffer = aligned_buffer;
  using upload_lane = driven_upload_lane;

  /// Calls, with the arguments that they had when they were recorded.
  class graph {
   private:
    friend class driven_device;
    std::vector<std::function<void()>> calls_;
  };

  /// Nothing can be learnt from its bytes before they are written, or after its end; in a graph
  /// that holds for every replay.
  class temporary {
   public:
    temporary(const driven_device&, std::size_t bytes) : memory_(std::make_shared<buffer>(bytes)) {
      call(spoil());
    }
    temporary(const temporary&) = delete;
    temporary& operator=(const temporary&) = delete;
    ~temporary() { call(spoil()); }
    std::byte* data() const { return memory_->data(); }

   private:
    std::function<void()> spoil() const {
      return [memory = memory_] {
        constexpr int not_a_number = 0xff;  // in every byte of a float
        if (memory->bytes() > 0) std::memset(memory->data(), not_a_number, memory->bytes());
      };
    }
    std::shared_ptr<buffer> memory_;
  };

  static constexpr std::string_view name() { return "driven"; }
  static constexpr bool host_memory = true;

  void upload(const float* host, float* memory, std::size_t bytes) const {
    refuse_to_record("an upload");
    copy(host, memory, bytes);
  }
  void download(const float* memory, float* host, std::size_t bytes) const {
    refuse_to_record("a download");
    copy(memory, host, bytes);
  }
  void copy(const float* from, float* to, std::size_t bytes) const {
    if (bytes > 0) call([=] { std::memcpy(to, from, bytes); });
  }
  void wait() const { refuse_to_record("a wait"); }
  void require(products) const {}
  template <class Function>
  void for_each_index(std::size_t count, const Function& function) const {
    run(cuda::for_each_index<Function>{count, function});
  }
  template <kernel K>
  void run(const K& k) const {
    call([k] { block_driver().run(k); });
  }

  template <class Body>
  graph record(const Body& body) const {
    graph recorded;
    const recording here(recorded);
    body();
    return recorded;
  }
  void replay(const graph& recorded) const {
    for (const std::function<void()>& one : recorded.calls_) one();
  }

 private:
  /// Sends what this thread asks for into a graph.
  class recording {
   public:
    explicit recording(graph& to) : before_(std::exchange(now, &to)) {}
    recording(const recording&) = delete;
    recording& operator=(const recording&) = delete;
    ~recording() { now = before_; }

    static inline thread_local graph* now = nullptr;

   private:
    graph* before_;
  };

  template <class Call>
  static void call(const Call& what) {
    if (recording::now != nullptr)
      recording::now->calls_.emplace_back(what);
    else
      what();
  }
  static void refuse_to_record(std::string_view what) {
    if (recording::now != nullptr) throw backend_error(sentence(what, " in a graph"));
  }
};

}  // namespace effnet::cuda
