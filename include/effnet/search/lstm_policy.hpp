#pragma once

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include <effnet/search/search_space.hpp>

namespace effnet {

/// A distribution over candidates, decision by decision: a single-layer LSTM reads the option that
/// was taken last and puts out a softmax over those of the next decision (the controller of Zoph et
/// al. 2018, appendix A.1). Candidates go through it in batches, a column each. All parameters
/// stand in one vector, for one optimizer.
template <class Number>
class lstm_policy {
 public:
  using vector = Eigen::Matrix<Number, Eigen::Dynamic, 1>;
  using matrix = Eigen::Matrix<Number, Eigen::Dynamic, Eigen::Dynamic>;

  /// `options`: how many each decision has.
  lstm_policy(std::vector<int> options, int hidden)
      : options_(std::move(options)), hidden_(hidden) {
    const auto place = [&](int rows, int columns) {
      const block b{count_, rows, columns};
      count_ += Eigen::Index{rows} * columns;
      return b;
    };
    weights_ = place(4 * hidden, hidden);
    bias_ = place(4 * hidden, 1);
    begin_ = place(4 * hidden, 1);
    for (const int count : options_) {
      embeddings_.push_back(place(4 * hidden, count));
      heads_.push_back(place(count, hidden));
    }
    parameters_ = vector::Zero(count_);
  }

  vector& parameters() { return parameters_; }
  const vector& parameters() const { return parameters_; }

  /// A candidate for each of the sources of random numbers.
  std::vector<candidate> sample(std::vector<random_draws>& draws) const {
    std::vector<candidate> taken(draws.size());
    state now(hidden_, columns(taken));
    for (std::size_t t = 0; t < options_.size(); ++t) {
      const matrix share = shares(step(now, t, taken), t);
      for (std::size_t i = 0; i < taken.size(); ++i) {
        double rest = draws[i].uniform();
        int option = 0;
        const auto column = static_cast<Eigen::Index>(i);
        while (option + 1 < options_[t] &&
               (rest -= static_cast<double>(share(option, column))) >= 0)
          ++option;
        taken[i].push_back(option);
      }
    }
    return taken;
  }

  /// Logarithms of the candidates' probabilities.
  vector log_probabilities(const std::vector<candidate>& taken) const {
    return forward(taken).log_probabilities;
  }

  /// Calls `weigh(log_probabilities)` for the weight of each candidate's logarithm, and returns the
  /// gradient of the weighted sum, plus `entropy` times the entropies of all decisions: by
  /// backpropagation through the decisions.
  template <class Weigh>
  vector gradient(const std::vector<candidate>& taken, Number entropy, const Weigh& weigh) const {
    const pass made = forward(taken);
    const vector by = weigh(made.log_probabilities);
    vector all = vector::Zero(count_);
    matrix diff_output = matrix::Zero(hidden_, columns(taken)), diff_cell = diff_output;
    matrix diff_gates(4 * hidden_, columns(taken));
    for (std::size_t t = options_.size(); t-- > 0;) {
      const trace& s = made.steps[t];
      const matrix share = shares(s, t);
      // Of log p: weight * (taken - share); of the entropy: -share * (log share + entropy).
      const matrix logarithms = share.array().log();
      const vector entropies = -(share.array() * logarithms.array()).colwise().sum().transpose();
      matrix diff_logits = -(share.array().rowwise() * by.transpose().array());
      diff_logits.array() -=
          entropy * share.array() * (logarithms.array().rowwise() + entropies.transpose().array());
      for (std::size_t i = 0; i < taken.size(); ++i)
        diff_logits(taken[i][t], static_cast<Eigen::Index>(i)) += by[static_cast<Eigen::Index>(i)];
      in(all, heads_[t]).noalias() += diff_logits * s.output.transpose();
      diff_output.noalias() += in(parameters_, heads_[t]).transpose() * diff_logits;

      const auto squashed = s.cell.array().tanh().eval();
      diff_cell.array() += diff_output.array() * s.gate(out).array() * (1 - squashed.square());
      diff_gates.middleRows(0 * hidden_, hidden_) = diff_cell.array() * s.gate(fresh).array() *
                                                    s.gate(input).array() *
                                                    (1 - s.gate(input).array());
      diff_gates.middleRows(1 * hidden_, hidden_) = diff_cell.array() * s.cell_before.array() *
                                                    s.gate(forget).array() *
                                                    (1 - s.gate(forget).array());
      diff_gates.middleRows(2 * hidden_, hidden_) =
          diff_cell.array() * s.gate(input).array() * (1 - s.gate(fresh).array().square());
      diff_gates.middleRows(3 * hidden_, hidden_) =
          diff_output.array() * squashed * s.gate(out).array() * (1 - s.gate(out).array());
      in(all, bias_) += diff_gates.rowwise().sum();
      for (std::size_t i = 0; i < taken.size(); ++i) {
        const auto column = diff_gates.col(static_cast<Eigen::Index>(i));
        if (t == 0)
          in(all, begin_) += column;
        else
          in(all, embeddings_[t - 1]).col(taken[i][t - 1]) += column;
      }
      if (t == 0) break;
      in(all, weights_).noalias() += diff_gates * s.output_before.transpose();
      diff_output.noalias() = in(parameters_, weights_).transpose() * diff_gates;
      diff_cell.array() *= s.gate(forget).array();
    }
    return all;
  }

 private:
  /// A matrix among the parameters.
  struct block {
    Eigen::Index at = 0;
    int rows = 0, columns = 0;
  };
  enum gate_kind { input, forget, fresh, out };

  struct state {
    matrix output, cell;
    state(int hidden, Eigen::Index columns)
        : output(matrix::Zero(hidden, columns)), cell(matrix::Zero(hidden, columns)) {}
  };
  /// A step, with what its gradient needs.
  struct trace {
    matrix output_before, cell_before, gates, cell, output;
    auto gate(gate_kind kind) const {
      const Eigen::Index rows = cell.rows();
      return gates.middleRows(kind * rows, rows);
    }
  };
  struct pass {
    std::vector<trace> steps;
    vector log_probabilities;
  };

  static Eigen::Map<matrix> in(vector& all, const block& b) {
    return {all.data() + b.at, b.rows, b.columns};
  }
  static Eigen::Map<const matrix> in(const vector& all, const block& b) {
    return {all.data() + b.at, b.rows, b.columns};
  }
  static Eigen::Index columns(const std::vector<candidate>& taken) {
    return static_cast<Eigen::Index>(taken.size());
  }

  pass forward(const std::vector<candidate>& taken) const {
    pass made{.steps = {}, .log_probabilities = vector::Zero(columns(taken))};
    state now(hidden_, columns(taken));
    for (std::size_t t = 0; t < options_.size(); ++t) {
      made.steps.push_back(step(now, t, taken));
      const matrix share = shares(made.steps.back(), t);
      for (Eigen::Index i = 0; i < columns(taken); ++i)
        made.log_probabilities[i] += std::log(share(taken[static_cast<std::size_t>(i)][t], i));
    }
    return made;
  }

  /// Decision number `t`, from what was taken before it. What an option feeds into the gates is
  /// learned as it is: a product of an embedding and a matrix would be no more than that.
  trace step(state& now, std::size_t t, const std::vector<candidate>& taken) const {
    trace s{.output_before = now.output,
            .cell_before = now.cell,
            .gates = {},
            .cell = {},
            .output = {}};
    s.gates = in(parameters_, bias_).col(0).replicate(1, columns(taken));
    for (Eigen::Index i = 0; i < columns(taken); ++i)
      s.gates.col(i) +=
          t == 0
              ? in(parameters_, begin_).col(0)
              : in(parameters_, embeddings_[t - 1]).col(taken[static_cast<std::size_t>(i)][t - 1]);
    if (t > 0) s.gates.noalias() += in(parameters_, weights_) * now.output;
    for (const gate_kind kind : {input, forget, out}) {
      auto gate = s.gates.middleRows(kind * hidden_, hidden_).array();
      gate = 1 / (1 + (-gate).exp());
    }
    auto candidate_cell = s.gates.middleRows(fresh * hidden_, hidden_).array();
    candidate_cell = candidate_cell.tanh();
    const auto gate = [&](gate_kind kind) {
      return s.gates.middleRows(kind * hidden_, hidden_).array();
    };
    s.cell = gate(forget) * now.cell.array() + gate(input) * gate(fresh);
    s.output = gate(out) * s.cell.array().tanh();
    now.cell = s.cell, now.output = s.output;
    return s;
  }
  matrix shares(const trace& s, std::size_t t) const {
    matrix logits = in(parameters_, heads_[t]) * s.output;
    const vector most = logits.colwise().maxCoeff().transpose();
    logits = (logits.array().rowwise() - most.transpose().array()).exp();
    const vector sums = logits.colwise().sum().transpose();
    return logits.array().rowwise() / sums.transpose().array();
  }

  std::vector<int> options_;
  int hidden_;
  Eigen::Index count_ = 0;
  block weights_, bias_, begin_;           // gates: input, forget, fresh, out
  std::vector<block> embeddings_, heads_;  // one a decision
  vector parameters_;
};

}  // namespace effnet
