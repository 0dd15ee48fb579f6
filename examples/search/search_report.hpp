#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <effnet/io/table_code.hpp>
#include <effnet/search.hpp>

#include "html_table.hpp"
#include "line_chart.hpp"
#include "search/search_record.hpp"
#include "search/stages_text.hpp"
#include "search/trial_table.hpp"
#include "terminal_line.hpp"

namespace example {

/// Accuracies over seeds of what was trained for longer, by name.
inline text_table rival_table(const search_record& record) {
  text_table table;
  table.column("network", text_table::side::left);
  for (const char* title :
       {"seeds", "epochs", "top-1 %", "+-", "measured step ms", "parameters", "MACs (M)"})
    table.column(title);
  table.column("stages", text_table::side::left);
  std::vector<const recorded_rival*> order;
  for (const recorded_rival& rival : record.rivals) order.push_back(&rival);
  const auto key = [](const recorded_rival& of) {
    return std::tuple(of.curve.size(), of.name, effnet::spec_to_json(of.spec), of.seed);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](const auto* a, const auto* b) { return key(*a) < key(*b); });
  for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
    const recorded_rival& of = *order[first];
    std::vector<double> accuracies;
    double step = of.step_seconds;
    for (; last < order.size() && order[last]->name == of.name && order[last]->spec == of.spec &&
           order[last]->curve.size() == of.curve.size();
         ++last) {
      accuracies.push_back(order[last]->accuracy);
      step = std::min(step, order[last]->step_seconds);
    }
    const effnet::mean_and_error top1(accuracies);
    const auto macs = static_cast<double>(effnet::count_macs(of.spec, of.spec.eval_size));
    table.row({of.name, std::to_string(accuracies.size()), std::to_string(of.curve.size()),
               fixed(100 * top1.mean, 2), accuracies.size() > 1 ? fixed(100 * top1.error, 2) : "",
               fixed(1e3 * step, 2), grouped(effnet::count_parameters(of.spec)),
               fixed(macs / 1e6, 2), stages_text(of.spec)});
  }
  return table;
}

/// A page about a search: how it went, what it found, and what its networks are made of.
class search_report {
 public:
  explicit search_report(const search_record& record)
      : record_(record), trials_(record.in_order()) {
    for (const recorded_trial& trial : trials_)
      if (trial.is_trained()) trained_.push_back(&trial);
    by_reward_ = trained_;
    std::stable_sort(by_reward_.begin(), by_reward_.end(),
                     [](const auto* a, const auto* b) { return a->reward > b->reward; });
  }

  search_report(const search_report&) = delete;  // it points into itself
  search_report& operator=(const search_report&) = delete;

  void add_to(html_page& page) const {
    page.add("<p>" + escaped(how()) + "</p>\n");
    if (trained_.empty()) {
      page.add("<p>No network has been trained yet.</p>\n");
      return;
    }
    add_tiles(page);
    page.add("<h2>Rewards and trade-offs</h2><div class=charts>\n");
    page.add(rewards().svg());
    page.add(front("Accuracy and step time", "step, ms", [](const auto& m) {
               return 1e3 * m.step_seconds;
             }).svg());
    page.add(front("Accuracy and parameters", "million parameters", [](const auto& m) {
               return m.parameters / 1e6;
             }).svg());
    page.add(front("Accuracy and multiply-adds", "million MACs", [](const auto& m) {
               return m.flops / 1e6;
             }).svg());
    page.add("</div>\n<h2>Best networks</h2>" + html_table(best_table()));
    page.add("<p>F: Fused-MBConv, M: MBConv; then kernel, x expansion, r layers.</p>\n");
    page.add("<h2>Pareto front of accuracy, step time and parameters</h2>" +
             html_table(front_table()));
    page.add(
        "<h2>Options by stage</h2><p>Shares of the best quarter in %, in brackets of all that "
        "were trained.</p>" +
        html_table(option_table()));
    if (!record_.rivals.empty())
      page.add("<h2>Trained for longer, beside networks of as many parameters</h2>" +
               html_table(rival_table(record_)));
    page.add("<h2>The best network as C++</h2><pre>" +
             escaped("#include <effnet/v2.hpp>\n\n" + effnet::code_of(winner())) + "</pre>\n");
  }

  /// One row about the whole search, for a page about several.
  static text_table overview() {
    text_table table;
    table.column("journal", text_table::side::left);
    table.column("reward", text_table::side::left);
    table.column("algorithm", text_table::side::left);
    for (const char* title :
         {"trials", "best reward", "top-1 %", "step ms", "parameters", "MACs (M)"})
      table.column(title);
    table.column("best network", text_table::side::left);
    return table;
  }
  void add_row(text_table& to, const std::string& journal) const {
    if (trained_.empty()) return;
    const recorded_trial& best = *by_reward_.front();
    to.row({journal, std::string(effnet::name_of(record_.settings.reward.rule)),
            record_.settings.algorithm, std::to_string(trials_.size()), fixed(best.reward, 4),
            fixed(100 * best.measures.accuracy, 1), fixed(1e3 * best.measures.step_seconds, 2),
            grouped(std::llround(best.measures.parameters)), fixed(best.measures.flops / 1e6, 2),
            stages_text(winner())});
  }

 private:
  effnet::network_spec winner() const {
    effnet::network_spec spec = record_.space.decode(by_reward_.front()->of);
    spec.name = "found";
    return spec;
  }
  std::string how() const {
    const search_settings& s = record_.settings;
    char count[32];
    std::snprintf(count, sizeof count, "%.3g", record_.space.count());
    std::string text =
        effnet::sentence("Space ", s.space, " on ", std::string_view(s.skeleton.name), ", ", count,
                         " networks; reward ", effnet::name_of(s.reward.rule), "; algorithm ",
                         s.algorithm, ", seed ", s.seed, "; each trained on ", s.training.data,
                         " at ", s.skeleton.eval_size, " pixels for ", s.training.epochs, " epochs",
                         s.stops_early ? ", unless it falls behind the median" : "", ".");
    if (record_.step)
      text +=
          effnet::sentence(" Step times (", s.step_batch, " images) are sums over ",
                           record_.step->blocks.seconds().size(), " timed shapes; of the ",
                           s.calibrated_on, " whole networks that put them right they are off by ",
                           fixed(100 * record_.step->error.mean_relative, 1), " %.");
    return text;
  }
  void add_tiles(html_page& page) const {
    const recorded_trial& best = *by_reward_.front();
    double seconds = 0;
    std::size_t stopped = 0;
    for (const recorded_trial* trial : trained_)
      seconds += trial->seconds, stopped += trial->stopped;
    page.add("<div class=tiles>\n");
    page.tile(fixed(best.reward, 4), "best reward");
    page.tile(fixed(100 * best.measures.accuracy, 1) + " %", "its top-1");
    page.tile(fixed(1e3 * best.measures.step_seconds, 1) + " ms", "its training step");
    page.tile(grouped(std::llround(best.measures.parameters)), "its parameters");
    page.tile(std::to_string(trials_.size()), "trials");
    page.tile(std::to_string(stopped), "given up early");
    page.tile(clock_text(seconds), "of training");
    page.add("</div>\n");
  }
  line_chart rewards() const {
    constexpr std::size_t window = 10;
    line_chart chart("Reward over trials", {.title = "trial"}, {.title = ""});
    chart_line each{.name = "trials", .points = {}, .color = 4, .look = chart_line::form::points};
    chart_line best{.name = "best so far", .points = {}, .look = chart_line::form::steps};
    chart_line mean{.name = "mean of 10", .points = {}, .color = 1};
    double most = 0;
    for (std::size_t i = 0; i < trials_.size(); ++i) {
      const auto at = static_cast<double>(i);
      most = std::max(most, trials_[i].reward);
      each.points.push_back({at, trials_[i].reward});
      best.points.push_back({at, most});
      const std::size_t first = i + 1 < window ? 0 : i + 1 - window;
      double sum = 0;
      for (std::size_t k = first; k <= i; ++k) sum += trials_[k].reward;
      mean.points.push_back({at, sum / static_cast<double>(i + 1 - first)});
    }
    for (chart_line* line : {&each, &mean, &best}) chart.add(std::move(*line));
    return chart;
  }
  /// Accuracy over one cost; of the front, those that no cheaper one equals.
  template <class Cost>
  line_chart front(const char* title, const char* below, const Cost& cost) const {
    line_chart chart(title, {.title = below, .least = 0},
                     {.title = "top-1", .unit = chart_unit::percent});
    chart_line whole{.name = "trained", .points = {}, .color = 4, .look = chart_line::form::points};
    chart_line ended{
        .name = "given up", .points = {}, .color = 3, .look = chart_line::form::points};
    chart_line edge{.name = "front", .points = {}, .look = chart_line::form::dotted};
    std::vector<const recorded_trial*> order = trained_;
    std::stable_sort(order.begin(), order.end(), [&](const auto* a, const auto* b) {
      return cost(a->measures) < cost(b->measures);
    });
    double most = 0;
    for (const recorded_trial* trial : order) {
      const chart_point at{cost(trial->measures), 100 * trial->measures.accuracy};
      (trial->stopped ? ended : whole).points.push_back(at);
      if (!trial->stopped && at.y > most) edge.points.push_back(at), most = at.y;
    }
    for (chart_line* line : {&whole, &ended, &edge}) chart.add(std::move(*line));
    return chart;
  }
  std::size_t number_of(const recorded_trial& trial) const {
    return static_cast<std::size_t>(&trial - trials_.data());
  }
  text_table best_table() const {
    trial_table table(record_.space);
    for (std::size_t i = 0; i < std::min<std::size_t>(10, by_reward_.size()); ++i)
      table.add(number_of(*by_reward_[i]), *by_reward_[i]);
    return table.table();
  }
  text_table front_table() const {
    std::vector<const recorded_trial*> to_the_end;
    std::vector<effnet::candidate_measures> all;
    for (const recorded_trial* trial : trained_) {
      if (trial->stopped) continue;
      to_the_end.push_back(trial);
      all.push_back(trial->measures);
    }
    std::vector<std::size_t> front = effnet::pareto_front(all);
    std::stable_sort(front.begin(), front.end(), [&](std::size_t a, std::size_t b) {
      return all[a].accuracy > all[b].accuracy;
    });
    trial_table table(record_.space);
    for (const std::size_t i : front) table.add(number_of(*to_the_end[i]), *to_the_end[i]);
    return table.table();
  }
  /// A row a stage: what the best quarter takes, in per cent, and in brackets all.
  text_table option_table() const {
    std::vector<effnet::candidate> all, best;
    for (const recorded_trial* trial : by_reward_) all.push_back(trial->of);
    best.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>((all.size() + 3) / 4));
    const auto of_all = effnet::option_shares(record_.space, all);
    const auto of_best = effnet::option_shares(record_.space, best);
    std::vector<effnet::stage_decision> kinds;  // that there is something to decide about
    for (const effnet::search_space::decision& d : record_.space.decisions())
      if (std::find(kinds.begin(), kinds.end(), d.what) == kinds.end()) kinds.push_back(d.what);
    std::sort(kinds.begin(), kinds.end());
    text_table table;
    table.column("stage");
    for (const effnet::stage_decision kind : kinds)
      table.column(std::string(effnet::name_of(kind)), text_table::side::left);
    for (std::size_t s = 0; s < record_.space.stages().size(); ++s) {
      std::vector<std::string> row = {std::to_string(s + 1)};
      for (const effnet::stage_decision kind : kinds) {
        std::string text;
        for (std::size_t d = 0; d < of_all.size(); ++d) {
          const effnet::search_space::decision& here = record_.space.decisions()[d];
          if (here.stage != s || here.what != kind) continue;
          for (std::size_t i = 0; i < of_all[d].size(); ++i)
            text += effnet::sentence(
                text.empty() ? "" : ", ", record_.space.option_text(d, static_cast<int>(i)), ": ",
                std::lround(100 * of_best[d][i]), " (", std::lround(100 * of_all[d][i]), ")");
        }
        row.push_back(text);
      }
      table.row(std::move(row));
    }
    return table;
  }

  const search_record& record_;
  std::vector<recorded_trial> trials_;
  std::vector<const recorded_trial*> trained_, by_reward_;
};

}  // namespace example
