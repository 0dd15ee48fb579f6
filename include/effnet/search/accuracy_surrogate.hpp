#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <effnet/search/search_space.hpp>

namespace effnet {

/// Guesses the accuracy of a candidate from candidates that were trained: a sum over the options
/// that it takes, by ridge regression. Thousands of trials then cost seconds.
class accuracy_surrogate {
 public:
  /// Throws `error` for fewer than two examples, or not as many accuracies.
  accuracy_surrogate(const search_space& space, const std::vector<candidate>& examples,
                     const std::vector<double>& accuracies, double ridge = 1)
      : space_(&space) {
    if (examples.size() < 2 || accuracies.size() != examples.size())
      throw error(sentence("a surrogate needs two trained candidates at least, but has ",
                           examples.size(), " with ", accuracies.size(), " accuracies"));
    const auto rows = static_cast<Eigen::Index>(examples.size());
    matrix x(rows, features());
    vector y(rows);
    for (Eigen::Index i = 0; i < rows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      x.row(i) = features_of(examples[at]).transpose();
      y[i] = accuracies[at];
    }
    // Around the means, so that the ridge leaves the mean accuracy alone.
    const vector middle = x.colwise().mean().transpose();
    x.rowwise() -= middle.transpose();
    const double mean = y.mean();
    y.array() -= mean;
    const matrix with_ridge = x.transpose() * x + ridge * matrix::Identity(features(), features());
    const Eigen::LDLT<matrix> solver(with_ridge);
    by_option_ = solver.solve(x.transpose() * y);
    mean_ = mean - by_option_.dot(middle);
    // Without example i its residual is r / (1 - h), h its place in the hat matrix's diagonal.
    const vector hat =
        (x.array() * solver.solve(x.transpose()).transpose().array()).rowwise().sum() +
        1 / static_cast<double>(rows);
    const vector residual = y - x * by_option_;
    for (Eigen::Index i = 0; i < rows; ++i)
      left_out_.push_back(accuracies[static_cast<std::size_t>(i)] -
                          residual[i] / (1 - std::min(hat[i], 1 - 1e-9)));
  }

  /// In [0, 1].
  double of(const candidate& c) const {
    return std::clamp(mean_ + by_option_.dot(features_of(c)), 0.0, 1.0);
  }
  /// What it would say of each example if it had not been among them.
  const std::vector<double>& left_out() const { return left_out_; }

 private:
  using matrix = Eigen::MatrixXd;
  using vector = Eigen::VectorXd;

  Eigen::Index features() const {
    Eigen::Index count = 0;
    for (const search_space::decision& d : space_->decisions()) count += d.options;
    return count;
  }
  /// 1 for each option that is taken and matters.
  vector features_of(const candidate& c) const {
    vector x = vector::Zero(features());
    Eigen::Index first = 0;
    for (std::size_t d = 0; d < c.size(); ++d) {
      if (space_->matters(c, d)) x[first + c[d]] = 1;
      first += space_->decisions()[d].options;
    }
    return x;
  }

  const search_space* space_;
  double mean_ = 0;  // of a candidate without any option
  vector by_option_;
  std::vector<double> left_out_;
};

}  // namespace effnet
