#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <effnet/backend/training_backend.hpp>
#include <effnet/data/any_data_set.hpp>
#include <effnet/math/loss.hpp>
#include <effnet/nn/network.hpp>

#include "accuracy.hpp"
#include "image_options.hpp"
#include "network_runner.hpp"
#include "ordered_work.hpp"

namespace example {

/// How a network judged a data set.
struct set_judgement {
  accuracy results{0};
  double loss = 0;  ///< training's, on average, without smoothing and weights of classes
  std::size_t unreadable = 0;
  std::string first_problem;
};

namespace detail {

/// A verdict, or why there is none.
struct judged_sample {
  verdict judged;
  double loss = 0;
  std::string problem;
};

/// One thread with a session of its own: judges a few samples at a time.
template <effnet::backend B>
class judge_of_samples {
 public:
  judge_of_samples(const effnet::dynamic_network<B>& network, const effnet::any_data_set& set,
                   effnet::loss_kind loss, std::size_t batch)
      : network_(network, 1), set_(set), loss_(loss), batch_(batch) {}

  std::vector<judged_sample> operator()(std::size_t number) {
    const std::size_t begin = number * batch_, end = std::min(begin + batch_, set_.count());
    std::vector<judged_sample> made(end - begin);
    std::vector<std::size_t> readable;
    std::vector<float> input;
    for (std::size_t i = begin; i < end; ++i) try {
        const std::vector<float> one = prepared(set_.image(i), network_.input_rule());
        input.insert(input.end(), one.begin(), one.end());
        readable.push_back(i);
      } catch (const effnet::error& e) {
        made[i - begin].problem = e.what();
      }
    if (readable.empty()) return made;
    const int side = network_.input_rule().size;
    network_.run(input.data(), {static_cast<int>(readable.size()), side, side, 3});
    for (std::size_t k = 0; k < readable.size(); ++k) {
      const std::size_t i = readable[k];
      made[i - begin].judged = best_of_labels(i, network_.logits(k));
      made[i - begin].loss = loss_of(i, network_.logits(k));
    }
    return made;
  }

 private:
  /// Of a sample with several classes, the one that the network likes best counts as the true one.
  verdict best_of_labels(std::size_t i, std::span<const float> logits) const {
    int truth = set_.label(i);
    for (int label : set_.labels(i))
      if (logits[static_cast<std::size_t>(label)] > logits[static_cast<std::size_t>(truth)])
        truth = label;
    return judge(i, truth, logits);
  }

  double loss_of(std::size_t i, std::span<const float> logits) const {
    const std::vector<int> labels = set_.labels(i);
    const bool shared = loss_ == effnet::loss_kind::softmax;
    std::vector<float> target(logits.size()), unused(logits.size());
    for (int label : labels)
      target[static_cast<std::size_t>(label)] =
          shared ? 1 / static_cast<float>(labels.size()) : 1.0f;
    const int classes = static_cast<int>(logits.size());
    return shared ? effnet::math::softmax_cross_entropy(logits.data(), target.data(), classes, 0,
                                                        nullptr, unused.data())
                  : effnet::math::sigmoid_cross_entropy(logits.data(), target.data(), classes, 0,
                                                        nullptr, unused.data());
  }

  network_runner<B> network_;
  const effnet::any_data_set& set_;
  effnet::loss_kind loss_;
  std::size_t batch_;
};

}  // namespace detail

/// Judges every picture of a set on `threads` threads, which share nothing but the weights: the
/// result does not depend on how many they are. `may_go_on()` is asked between batches; where it
/// says no, the rest is left out.
template <effnet::backend B, class MayGoOn>
set_judgement judge_set(const effnet::dynamic_network<B>& network, const effnet::any_data_set& set,
                        effnet::loss_kind loss, std::size_t threads, std::size_t mistakes_kept,
                        MayGoOn&& may_go_on) {
  constexpr std::size_t batch = 4;
  const std::size_t batches = (set.count() + batch - 1) / batch;
  set_judgement made{
      .results = accuracy(mistakes_kept), .loss = 0, .unreadable = 0, .first_problem = {}};
  ordered_work<std::vector<detail::judged_sample>> work(
      batches, std::min(threads, batches), 2 * threads,
      [&] { return detail::judge_of_samples<B>(network, set, loss, batch); });
  for (std::size_t i = 0; i < batches && may_go_on(); ++i)
    for (const detail::judged_sample& sample : work.next()) {
      if (!sample.problem.empty()) {
        if (made.unreadable++ == 0) made.first_problem = sample.problem;
        continue;
      }
      made.results.add(sample.judged);
      made.loss += sample.loss;
    }
  made.loss /= static_cast<double>(std::max<std::size_t>(1, made.results.total().images));
  return made;
}

}  // namespace example
