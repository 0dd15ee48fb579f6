#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace example {

/// Makes items 0, 1, ... `count - 1` on threads of its own, never more than `ahead` before the one
/// that is wanted next, and hands them out in order.
///
/// Each thread calls `make_worker()` once, for what it needs of its own, and then the worker with
/// the numbers of its items. What either throws ends the work: `next` throws it on.
template <class Item>
class ordered_work {
 public:
  template <class MakeWorker>
  ordered_work(std::size_t count, std::size_t threads, std::size_t ahead, MakeWorker make_worker)
      : count_(count), ahead_(ahead) {
    for (std::size_t i = 0; i < threads; ++i)
      threads_.emplace_back([this, make_worker] {
        try {
          run(make_worker());
        } catch (...) {
          const std::lock_guard hold(mutex_);
          failure_ = std::current_exception();
          is_made_.notify_one();
        }
      });
  }
  ordered_work(const ordered_work&) = delete;
  ordered_work& operator=(const ordered_work&) = delete;
  ~ordered_work() {
    {
      const std::lock_guard hold(mutex_);
      started_ = count_;
    }
    may_start_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  /// The next item; waits for it. To be called `count` times at most.
  Item next() {
    std::unique_lock hold(mutex_);
    is_made_.wait(hold, [&] { return failure_ || made_.contains(taken_); });
    if (failure_) std::rethrow_exception(failure_);
    Item item = std::move(made_.extract(taken_++).mapped());
    may_start_.notify_all();
    return item;
  }

 private:
  template <class Worker>
  void run(Worker worker) {
    for (;;) {
      std::unique_lock hold(mutex_);
      may_start_.wait(hold, [&] { return started_ == count_ || started_ < taken_ + ahead_; });
      if (started_ == count_) return;
      const std::size_t index = started_++;
      hold.unlock();
      Item item = worker(index);
      hold.lock();
      made_.emplace(index, std::move(item));
      is_made_.notify_one();
    }
  }

  std::size_t count_, ahead_, started_ = 0, taken_ = 0;
  std::map<std::size_t, Item> made_;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable may_start_, is_made_;
  std::vector<std::thread> threads_;
};

}  // namespace example
