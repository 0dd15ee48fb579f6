#pragma once

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace example {

/// Makes items 0, 1, ... `count - 1` on threads of its own while the caller works on earlier ones,
/// never more than `ahead` of them, and hands them out in order. `load` must not throw; it is
/// called on several threads at once.
template <class Item>
class prefetcher {
 public:
  prefetcher(std::size_t count, int threads, std::size_t ahead,
             std::function<Item(std::size_t)> load)
      : count_(count), ahead_(ahead), load_(std::move(load)) {
    for (int i = 0; i < threads; ++i) workers_.emplace_back([this] { work(); });
  }
  prefetcher(const prefetcher&) = delete;
  prefetcher& operator=(const prefetcher&) = delete;
  ~prefetcher() {
    {
      const std::lock_guard hold(mutex_);
      started_ = count_;
    }
    may_load_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  bool done() const { return taken_ == count_; }

  /// The next item; waits for it. Not after `done()`.
  Item next() {
    std::unique_lock hold(mutex_);
    is_loaded_.wait(hold, [&] { return ready_.contains(taken_); });
    Item item = std::move(ready_.extract(taken_++).mapped());
    may_load_.notify_all();
    return item;
  }

 private:
  void work() {
    // Below the threads that compute: they decide how fast everything goes.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 5);
    for (;;) {
      std::unique_lock hold(mutex_);
      may_load_.wait(hold, [&] { return started_ == count_ || started_ < taken_ + ahead_; });
      if (started_ == count_) return;
      const std::size_t index = started_++;
      hold.unlock();
      Item item = load_(index);
      hold.lock();
      ready_.emplace(index, std::move(item));
      is_loaded_.notify_one();
    }
  }

  std::size_t count_, ahead_, started_ = 0, taken_ = 0;
  std::function<Item(std::size_t)> load_;
  std::map<std::size_t, Item> ready_;
  std::mutex mutex_;
  std::condition_variable may_load_, is_loaded_;
  std::vector<std::thread> workers_;  // last: they use the rest
};

}  // namespace example
