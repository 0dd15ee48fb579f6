#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/arch/scaling.hpp>
#include <effnet/arch/validate.hpp>
#include <effnet/data/random_draws.hpp>

namespace effnet {

/// What a search decides about a stage.
enum class stage_decision { op, repeats, kernel, expand, se, width };

constexpr std::string_view name_of(stage_decision what) {
  constexpr std::string_view names[] = {"op", "repeats", "kernel", "expand", "se", "width"};
  return names[static_cast<int>(what)];
}

/// An operator that a stage may repeat. `expand` 0 leaves the ratio to the decision of that name.
struct searched_op {
  block_op op = block_op::mbconv;
  int expand = 0;

  friend constexpr bool operator==(const searched_op&, const searched_op&) = default;
};

/// What may stand in a stage's row; one option of each kind at least. Stride and order of the
/// stages are the skeleton's.
struct stage_choices {
  std::vector<searched_op> ops;
  std::vector<int> repeats;  ///< 0 leaves the stage out, which only one of stride 1 can be
  std::vector<int> kernels;
  std::vector<int> expands;
  std::vector<float> ses;  ///< of MBConv; Fused-MBConv has none, as in EfficientNetV2
  /// Times the skeleton's channels, rounded to multiples of 8; of those that give the same channels
  /// one is enough.
  std::vector<double> widths = {1};

  std::size_t options(stage_decision what) const {
    const std::size_t counts[] = {ops.size(),     repeats.size(), kernels.size(),
                                  expands.size(), ses.size(),     widths.size()};
    return counts[static_cast<int>(what)];
  }
};

/// A network of a search space: the number of the option that it takes, decision by decision.
using candidate = std::vector<int>;

/// The networks that a search chooses from, as a value: a skeleton whose stages are filled in
/// (factorised hierarchical space of MnasNet, section 4.1; stage-based space of EfficientNetV2,
/// section 3.2). Only what has more than one option is a decision.
class search_space {
 public:
  struct decision {
    std::size_t stage;  ///< of the skeleton, from 0
    stage_decision what;
    int options;
  };

  /// Throws `spec_error` where there is nothing to choose from, or what is no network.
  search_space(const network_spec& skeleton, std::vector<stage_choices> stages)
      : skeleton_(skeleton), stages_(std::move(stages)) {
    validate(skeleton_);
    if (stages_.size() != skeleton_.stages.size())
      throw spec_error(sentence("a search space on '", std::string_view(skeleton_.name),
                                "' needs choices for its ", skeleton_.stages.size(),
                                " stages, but has them for ", stages_.size()));
    for (std::size_t s = 0; s < stages_.size(); ++s) {
      check(s);
      keep_different_widths(s);
      for (const stage_decision what : kinds)
        if (const std::size_t options = stages_[s].options(what); options > 1)
          decisions_.push_back({s, what, static_cast<int>(options)});
    }
    if (decisions_.empty())
      throw spec_error(sentence("a search space on '", std::string_view(skeleton_.name),
                                "' holds one network; give a stage more than one option"));
  }

  const network_spec& skeleton() const { return skeleton_; }
  const std::vector<stage_choices>& stages() const { return stages_; }
  const std::vector<decision>& decisions() const { return decisions_; }

  /// The network. Throws `spec_error` for what is no candidate of this space.
  network_spec decode(const candidate& from) const {
    check(from);
    network_spec spec = skeleton_;
    spec.stages = {};
    std::size_t at = 0;
    int in = spec.stem;
    for (std::size_t s = 0; s < stages_.size(); ++s) {
      const std::optional<stage_spec> row = row_of(s, taken(s, from, at), in);
      if (!row) continue;
      spec.stages.push_back(*row);
      in = row->out;
    }
    validate(spec);
    return spec;
  }

  /// The candidate whose network has these rows; where decisions are without effect, the first
  /// option. Throws `spec_error` where there is none.
  candidate encode(const network_spec& spec) const {
    candidate found;
    if (!matches(spec, 0, 0, spec.stem, found))
      throw spec_error(sentence("network '", std::string_view(spec.name),
                                "' is none of the search space on '",
                                std::string_view(skeleton_.name), "'"));
    return found;
  }

  /// The same network, with decisions that are without effect (about a stage that is left out, the
  /// squeeze-excite of a Fused-MBConv) at their first option: equal where networks are.
  candidate canonical(candidate from) const {
    check(from);
    std::size_t at = 0;
    for (std::size_t s = 0; s < stages_.size(); ++s) {
      const std::size_t first = at;
      const row_options row = taken(s, from, at);
      for (std::size_t d = first; d < at; ++d)
        if (!matters(s, row, decisions_[d].what)) from[d] = 0;
    }
    return from;
  }
  /// Whether decision number `d` changes the network of `from`.
  bool matters(const candidate& from, std::size_t d) const {
    std::size_t at = 0;
    for (std::size_t s = 0; s < decisions_[d].stage; ++s) taken(s, from, at);
    const std::size_t s = decisions_[d].stage;
    return matters(s, taken(s, from, at), decisions_[d].what);
  }

  /// How many different networks there are.
  double count() const {
    double product = 1;
    for (std::size_t s = 0; s < stages_.size(); ++s) {
      double rows = 0;
      for_each_row(s, [&](const row_options&) { ++rows; });
      product *= rows;
    }
    return product;
  }
  /// Calls `visit(candidate)` for every network once, until it returns false.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    std::vector<std::vector<row_options>> rows(stages_.size());
    for (std::size_t s = 0; s < stages_.size(); ++s)
      for_each_row(s, [&](const row_options& row) { rows[s].push_back(row); });
    std::vector<std::size_t> at(stages_.size(), 0);
    for (;;) {
      candidate next;
      for (std::size_t s = 0; s < stages_.size(); ++s) append(s, rows[s][at[s]], next);
      if (!visit(std::as_const(next))) return;
      std::size_t s = stages_.size();
      while (s > 0 && ++at[s - 1] == rows[s - 1].size()) at[--s] = 0;
      if (s == 0) return;
    }
  }

  /// Every option of a decision is equally likely.
  candidate sample(random_draws& draws) const {
    candidate drawn;
    for (const decision& d : decisions_)
      drawn.push_back(static_cast<int>(draws.integer(0, d.options)));
    return canonical(std::move(drawn));
  }
  /// Another network: one decision that matters takes another option.
  candidate mutated(const candidate& from, random_draws& draws) const {
    for (;;) {
      const auto d =
          static_cast<std::size_t>(draws.integer(0, static_cast<std::int64_t>(decisions_.size())));
      if (!matters(from, d)) continue;
      candidate other = from;
      const auto step = static_cast<int>(draws.integer(1, decisions_[d].options));
      other[d] = (other[d] + step) % decisions_[d].options;
      return canonical(std::move(other));
    }
  }

  /// "fused_mbconv x1", "5": an option of decision number `d`.
  std::string option_text(std::size_t d, int option) const {
    const stage_choices& of = stages_[decisions_[d].stage];
    const auto i = static_cast<std::size_t>(option);
    switch (decisions_[d].what) {
      case stage_decision::op:
        return op_text(of.ops[i]);
      case stage_decision::repeats:
        return sentence(of.repeats[i]);
      case stage_decision::kernel:
        return sentence(of.kernels[i]);
      case stage_decision::expand:
        return sentence(of.expands[i]);
      case stage_decision::se:
        return sentence(of.ses[i]);
      case stage_decision::width:
        return sentence(of.widths[i]);
    }
    return {};
  }

 private:
  static constexpr stage_decision kinds[] = {stage_decision::op,     stage_decision::repeats,
                                             stage_decision::kernel, stage_decision::expand,
                                             stage_decision::se,     stage_decision::width};
  /// The option that a stage takes of each kind.
  struct row_options {
    std::size_t of[std::size(kinds)] = {};
    std::size_t& operator[](stage_decision what) { return of[static_cast<int>(what)]; }
    std::size_t operator[](stage_decision what) const { return of[static_cast<int>(what)]; }
  };

  static std::string op_text(const searched_op& op) {
    std::string text = op.op == block_op::mbconv         ? "mbconv"
                       : op.op == block_op::fused_mbconv ? "fused_mbconv"
                                                         : "bottleneck";
    if (op.expand > 0) text += sentence(" x", op.expand);
    return text;
  }

  void check(std::size_t s) const {
    const stage_choices& of = stages_[s];
    for (const stage_decision what : kinds)
      if (of.options(what) == 0)
        throw spec_error(sentence("stage ", s + 1, " of a search space has no option for '",
                                  name_of(what), "'; give at least one"));
    const auto once = [&](const auto& options, stage_decision what) {
      for (auto i = options.begin(); i != options.end(); ++i)
        if (std::find(options.begin(), i, *i) != i)
          throw spec_error(sentence("stage ", s + 1, " of a search space has an option for '",
                                    name_of(what), "' twice"));
    };
    once(of.ops, stage_decision::op), once(of.repeats, stage_decision::repeats);
    once(of.kernels, stage_decision::kernel), once(of.expands, stage_decision::expand);
    once(of.ses, stage_decision::se), once(of.widths, stage_decision::width);
    for (const searched_op& op : of.ops)
      if (op.expand > 0 &&
          std::find(of.ops.begin(), of.ops.end(), searched_op{op.op}) != of.ops.end() &&
          std::find(of.expands.begin(), of.expands.end(), op.expand) != of.expands.end())
        throw spec_error(sentence("stage ", s + 1, " of a search space has ", op_text(op),
                                  " twice: as an op and by the decision 'expand'"));
    const bool strides = skeleton_.stages[s].stride > 1;
    for (const int repeats : of.repeats)
      if (repeats < 0 || (repeats == 0 && strides))
        throw spec_error(sentence("stage ", s + 1, " of a search space cannot have ", repeats,
                                  " repeats; expected 1 or more",
                                  strides ? ", as it has stride 2" : ", or 0 to leave it out"));
    for (const searched_op& op : of.ops)
      if (op.op == block_op::bottleneck)
        throw spec_error(sentence("stage ", s + 1,
                                  " of a search space has a bottleneck among its ops; expected "
                                  "mbconv and fused_mbconv"));
    for (const double width : of.widths)
      if (!(width > 0 && width <= 64))
        throw spec_error(sentence("stage ", s + 1, " of a search space has a width of ", width,
                                  "; expected more than 0 and at most 64"));
    for_each_row(s, [&](const row_options& row) {
      const std::optional<stage_spec> made = row_of(s, row, skeleton_.stem);
      if (!made) return;
      network_spec one = skeleton_;
      one.stages = {*made};
      one.name = spec_name(sentence("search space, skeleton stage ", s + 1));
      validate(one);
    });
  }
  void keep_different_widths(std::size_t s) {
    std::vector<double> kept;
    std::vector<int> channels;
    for (const double width : stages_[s].widths) {
      const int out = channels_of(s, width);
      if (std::find(channels.begin(), channels.end(), out) != channels.end()) continue;
      kept.push_back(width);
      channels.push_back(out);
    }
    stages_[s].widths = std::move(kept);
  }
  int channels_of(std::size_t s, double width) const {
    const int plain = skeleton_.stages[s].out;
    return width == 1 ? plain : scaled_channels(plain, width, channel_rounding::guarded);
  }
  void check(const candidate& from) const {
    if (from.size() != decisions_.size())
      throw spec_error(sentence("a candidate of this search space has ", decisions_.size(),
                                " decisions, but this one has ", from.size()));
    for (std::size_t d = 0; d < from.size(); ++d)
      if (from[d] < 0 || from[d] >= decisions_[d].options)
        throw spec_error(sentence("decision ", d + 1, " of a candidate is option ", from[d],
                                  "; expected 0 to ", decisions_[d].options - 1));
  }

  /// Of stage `s`, whose decisions stand at `at` in `from`, and which moves on behind them.
  row_options taken(std::size_t s, const candidate& from, std::size_t& at) const {
    row_options row;
    for (; at < decisions_.size() && decisions_[at].stage == s; ++at)
      row[decisions_[at].what] = static_cast<std::size_t>(from[at]);
    return row;
  }
  void append(std::size_t s, const row_options& row, candidate& to) const {
    for (const stage_decision what : kinds)
      if (stages_[s].options(what) > 1) to.push_back(static_cast<int>(row[what]));
  }

  /// The stage's row for a source of `in` channels; nothing where it is left out.
  std::optional<stage_spec> row_of(std::size_t s, const row_options& row, int in) const {
    const stage_choices& of = stages_[s];
    const stage_spec& plain = skeleton_.stages[s];
    const searched_op& op = of.ops[row[stage_decision::op]];
    const int repeats = of.repeats[row[stage_decision::repeats]];
    if (repeats == 0) return std::nullopt;
    return stage_spec{.op = op.op,
                      .repeats = repeats,
                      .kernel = of.kernels[row[stage_decision::kernel]],
                      .stride = plain.stride,
                      .expand = op.expand > 0 ? op.expand : of.expands[row[stage_decision::expand]],
                      .in = in,
                      .out = channels_of(s, of.widths[row[stage_decision::width]]),
                      .se = op.op == block_op::mbconv ? of.ses[row[stage_decision::se]] : 0.0f};
  }
  bool matters(std::size_t s, const row_options& row, stage_decision what) const {
    if (what == stage_decision::repeats) return true;
    if (stages_[s].repeats[row[stage_decision::repeats]] == 0) return false;
    const searched_op& op = stages_[s].ops[row[stage_decision::op]];
    if (what == stage_decision::expand) return op.expand == 0;
    if (what == stage_decision::se) return op.op == block_op::mbconv;
    return true;
  }

  /// Calls `visit(row)` for every different row of a stage.
  template <class Visitor>
  void for_each_row(std::size_t s, Visitor&& visit) const {
    row_options row;
    for (;;) {
      bool first = true;  // among rows that give the same network
      for (const stage_decision what : kinds)
        first = first && (row[what] == 0 || matters(s, row, what));
      if (first) visit(std::as_const(row));
      std::size_t k = std::size(kinds);
      while (k > 0 && ++row.of[k - 1] == stages_[s].options(kinds[k - 1])) row.of[--k] = 0;
      if (k == 0) return;
    }
  }

  /// Whether stages from `s` on make the rows of `spec` from `next` on; their options go to
  /// `found`.
  bool matches(const network_spec& spec, std::size_t s, std::size_t next, int in,
               candidate& found) const {
    if (s == stages_.size()) return next == spec.stages.size();
    bool done = false;
    const std::size_t before = found.size();
    for_each_row(s, [&](const row_options& row) {
      if (done) return;
      const std::optional<stage_spec> made = row_of(s, row, in);
      if (made && (next >= spec.stages.size() || *made != spec.stages[next])) return;
      append(s, row, found);
      done = matches(spec, s + 1, made ? next + 1 : next, made ? made->out : in, found);
      if (!done) found.resize(before);
    });
    return done;
  }

  network_spec skeleton_;
  std::vector<stage_choices> stages_;
  std::vector<decision> decisions_;
};

}  // namespace effnet
