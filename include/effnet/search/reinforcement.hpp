#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <effnet/search/lstm_policy.hpp>
#include <effnet/search/search_algorithm.hpp>

namespace effnet {

/// Zoph et al. 2018, appendix A.1, which MnasNet and EfficientNetV2 refer to. How often a batch is
/// used and how far a ratio may move are those of Schulman et al. 2017, table 3 and section 6.1.
struct reinforcement_settings {
  int hidden = 100;
  std::size_t batch = 20;
  double learning_rate = 3.5e-4;  ///< of Adam
  double entropy = 1e-5;          ///< weight of the policy's entropy
  double baseline = 0.95;         ///< weight of what the moving average of rewards was
  double spread = 0.1;            ///< parameters begin uniform in +-this
  int epochs = 4;                 ///< times that a batch is learned from
  double clip = 0.2;
};

/// Reinforcement learning: a policy is moved, by proximal policy optimisation (Schulman et al.
/// 2017), towards candidates whose reward exceeds the moving average of all.
class reinforcement {
 public:
  static constexpr std::string_view name = "rl";

  reinforcement(const search_space& space, std::uint64_t seed,
                const reinforcement_settings& settings = {})
      : space_(&space),
        seed_(seed),
        settings_(settings),
        policy_(options_of(space), settings.hidden) {
    if (settings.batch < 1 || settings.epochs < 1 || settings.hidden < 1)
      throw error("reinforcement learning needs a batch, epochs and hidden units of at least 1");
    vector& all = policy_.parameters();
    random_draws draws(seed, 1, 0, draw_purpose::search);
    for (float& x : all) x = static_cast<float>(draws.uniform(-settings.spread, settings.spread));
    first_ = second_ = vector::Zero(all.size());
  }

  std::size_t batch() const { return settings_.batch; }
  const lstm_policy<float>& policy() const { return policy_; }

  candidate propose() {
    if (asked_ == waiting_.size()) {
      std::vector<random_draws> draws;
      for (std::size_t i = 0; i < settings_.batch; ++i)
        draws.emplace_back(seed_, 0, proposed_++, draw_purpose::search);
      for (candidate& next : policy_.sample(draws)) waiting_.push_back(std::move(next));
    }
    return space_->canonical(waiting_[asked_++]);
  }

  void learn(const std::vector<double>& rewards) {
    waiting_.resize(std::min(rewards.size(), asked_));
    vector advantages(static_cast<Eigen::Index>(waiting_.size()));
    for (Eigen::Index i = 0; i < advantages.size(); ++i) {
      const double reward = rewards[static_cast<std::size_t>(i)];
      if (!has_baseline_) baseline_ = reward;
      has_baseline_ = true;
      advantages[i] = static_cast<float>(reward - baseline_);
      baseline_ = settings_.baseline * baseline_ + (1 - settings_.baseline) * reward;
    }
    // To a root mean square of 1, whatever rewards are measured in.
    const float size = std::sqrt(advantages.squaredNorm() / static_cast<float>(advantages.size()));
    if (size > 0) advantages /= size;
    const vector before = policy_.log_probabilities(waiting_);
    const float share = 1 / static_cast<float>(advantages.size());
    for (int epoch = 0; epoch < settings_.epochs; ++epoch)
      ascend(policy_.gradient(
          waiting_, share * static_cast<float>(settings_.entropy), [&](const vector& now) {
            vector by(advantages.size());
            for (Eigen::Index i = 0; i < by.size(); ++i) {
              const float ratio = std::exp(now[i] - before[i]),
                          clip = static_cast<float>(settings_.clip);
              const bool clipped = advantages[i] > 0 ? ratio > 1 + clip : ratio < 1 - clip;
              by[i] = clipped ? 0 : share * ratio * advantages[i];
            }
            return by;
          }));
    waiting_.clear();
    asked_ = 0;
  }

 private:
  using vector = lstm_policy<float>::vector;

  static std::vector<int> options_of(const search_space& space) {
    std::vector<int> options;
    for (const search_space::decision& d : space.decisions()) options.push_back(d.options);
    return options;
  }
  /// Adam (Kingma, Ba 2015), uphill.
  void ascend(const vector& gradient) {
    constexpr float beta_1 = 0.9f, beta_2 = 0.999f, epsilon = 1e-8f;
    ++steps_;
    first_ = beta_1 * first_ + (1 - beta_1) * gradient;
    second_ = beta_2 * second_ + (1 - beta_2) * gradient.cwiseAbs2();
    const auto rate = static_cast<float>(settings_.learning_rate *
                                         std::sqrt(1 - std::pow(double{beta_2}, steps_)) /
                                         (1 - std::pow(double{beta_1}, steps_)));
    policy_.parameters().array() += rate * first_.array() / (second_.array().sqrt() + epsilon);
  }

  const search_space* space_;
  std::uint64_t seed_, proposed_ = 0;
  reinforcement_settings settings_;
  lstm_policy<float> policy_;
  vector first_, second_;  // Adam's moments
  int steps_ = 0;
  double baseline_ = 0;
  bool has_baseline_ = false;
  std::vector<candidate> waiting_;  // as the policy drew them
  std::size_t asked_ = 0;           // how many of them were proposed
};

}  // namespace effnet
