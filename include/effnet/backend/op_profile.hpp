#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/backend/problems.hpp>

namespace effnet {

/// A convolution with what follows it.
struct planned_conv {
  conv_problem problem;
  epilogue then;
};

/// What an op with weights was planned for, and what it runs on.
struct op_plan {
  std::vector<planned_conv> convs;  ///< more than one where the backend runs layers as one op
  std::string implementation;       ///< the kernel's name
  std::string reason;               ///< why this kernel; empty where the backend does not say
  /// Number of the first of `convs` among those planned in the same pass. Networks plan layer by
  /// layer, so that it is the layer's index in `for_each_layer`.
  std::size_t first = 0;

  /// Multiply-adds.
  std::size_t macs() const {
    std::size_t sum = 0;
    for (const planned_conv& conv : convs) sum += conv.problem.macs();
    return sum;
  }
};

/// An op of a pass: what ran, on what, and how long it took each time.
struct op_record {
  std::string_view op;  ///< as in the list of `backend`: "conv", "add", "global_pool"; a literal
  shape4 src, dst;
  activation act = activation::identity;  ///< of op "activation"
  std::shared_ptr<const op_plan> plan{};  ///< null for ops without weights
  std::vector<double> seconds{};          ///< one for each pass

  std::size_t macs() const { return plan ? plan->macs() : 0; }
  /// Median over the passes; 0 where there were none.
  double median_seconds() const;
};

/// The middle of some values, the mean of the two where their number is even; 0 of none.
inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

inline double op_record::median_seconds() const {
  return median(seconds);
}

/// The ops of one session's passes, in the order in which they run. Passes are expected to repeat
/// each other; where one does not (another image size), the records begin again from there. Written
/// by `profiled_backend`; not for two threads at once.
class op_profile {
 public:
  const std::vector<op_record>& ops() const { return ops_; }
  /// Drops the times so far, those of a warm-up, and keeps the ops.
  void forget_times() {
    for (op_record& op : ops_) op.seconds.clear();
  }

  void begin_pass() { next_ = planned_ = 0; }
  /// Numbers the convolutions of a new plan.
  std::shared_ptr<const op_plan> add_plan(op_plan plan) {
    plan.first = planned_;
    planned_ += plan.convs.size();
    return std::make_shared<const op_plan>(std::move(plan));
  }
  /// Calls `run()` and records its time as that of the pass's next op.
  template <class Run>
  void time(op_record op, Run&& run) {
    const auto start = std::chrono::steady_clock::now();
    run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (next_ < ops_.size() && !same(ops_[next_], op))
      ops_.erase(ops_.begin() + static_cast<std::ptrdiff_t>(next_), ops_.end());
    if (next_ == ops_.size()) ops_.push_back(std::move(op));
    ops_[next_++].seconds.push_back(took.count());
  }

 private:
  static bool same(const op_record& a, const op_record& b) {
    return a.op == b.op && a.src == b.src && a.dst == b.dst && a.act == b.act && a.plan == b.plan;
  }

  std::vector<op_record> ops_;
  std::size_t next_ = 0, planned_ = 0;
};

}  // namespace effnet
