#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "prediction.hpp"

namespace example {

/// How a network judged one picture.
struct verdict {
  std::size_t image = 0;  ///< its number in the data
  int truth = 0, predicted = 0;
  int rank = 0;  ///< classes that the network prefers to the true one; 0: right
  float probability = 0, truth_probability = 0;
};

inline verdict judge(std::size_t image, int truth, std::span<const float> logits) {
  const std::vector<float> parts = softmax(logits);
  const auto wanted = static_cast<std::size_t>(truth);
  verdict v{.image = image, .truth = truth, .truth_probability = parts[wanted]};
  v.predicted = static_cast<int>(std::ranges::max_element(logits) - logits.begin());
  v.probability = parts[static_cast<std::size_t>(v.predicted)];
  for (std::size_t i = 0; i < logits.size(); ++i)
    v.rank += logits[i] > logits[wanted] || (logits[i] == logits[wanted] && i < wanted);
  return v;
}

/// Sums verdicts up.
class accuracy {
 public:
  struct score {
    std::size_t images = 0, top1 = 0, top5 = 0;
    double percent(std::size_t right) const {
      return images > 0 ? 100.0 * static_cast<double>(right) / static_cast<double>(images) : 0;
    }
  };
  struct confusion {
    int truth = 0, predicted = 0;
    std::size_t count = 0;
  };

  explicit accuracy(std::size_t worst_kept) : worst_kept_(worst_kept) {}

  void add(const verdict& v) {
    for (score* s : {&total_, &by_class_[v.truth]})
      ++s->images, s->top1 += v.rank == 0, s->top5 += v.rank < 5;
    ++matrix_[{v.truth, v.predicted}];
    if (v.rank == 0) return;
    const auto surer = [](const verdict& a, const verdict& b) {
      return a.probability - a.truth_probability > b.probability - b.truth_probability;
    };
    worst_.insert(std::ranges::upper_bound(worst_, v, surer), v);
    if (worst_.size() > worst_kept_) worst_.pop_back();
  }

  const score& total() const { return total_; }
  /// Of the classes that the data have.
  const std::map<int, score>& by_class() const { return by_class_; }
  std::size_t count(int truth, int predicted) const {
    const auto found = matrix_.find({truth, predicted});
    return found != matrix_.end() ? found->second : 0;
  }
  /// The mistakes in which the wrong class led the right one by most.
  const std::vector<verdict>& worst() const { return worst_; }
  /// Pairs of classes that were taken for each other, the most frequent first.
  std::vector<confusion> confusions() const {
    std::vector<confusion> pairs;
    for (const auto& [pair, count] : matrix_)
      if (pair.first != pair.second) pairs.push_back({pair.first, pair.second, count});
    std::ranges::stable_sort(pairs, std::ranges::greater{}, &confusion::count);
    return pairs;
  }

 private:
  std::size_t worst_kept_;
  score total_;
  std::map<int, score> by_class_;
  std::map<std::pair<int, int>, std::size_t> matrix_;
  std::vector<verdict> worst_;
};

}  // namespace example
