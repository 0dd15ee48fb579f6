#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

#include "experiments/experiment_set.hpp"
#include "terminal_line.hpp"
#include "text_table.hpp"

namespace example {

/// Prints what there is, how much of it is done, and about how long it takes.
inline void list_experiments(const set_options& given) {
  using enum text_table::side;
  const set_options set = whole_options(given);
  const std::size_t pictures = pictures_of(scale_of(set));
  constexpr double per_second = 30e9;  // multiply-adds of two cores, about
  text_table table;
  table.column("experiment", left), table.column("from", left), table.column("what", left);
  for (const char* title : {"trainings", "timings", "done", "time"}) table.column(title);
  for (const experiment& one : all_experiments(set)) {
    std::size_t trainings = 0, done = 0;
    double work = 0;
    for (const trial& t : one.trials) {
      trainings += t.is_training();
      done += folder_of(one, t, set).result().has_value();
      work += t.work(pictures);
    }
    table.row({one.name, one.source, one.title, std::to_string(trainings),
               std::to_string(one.trials.size() - trainings), std::to_string(done),
               clock_text(work / per_second)});
  }
  std::printf(
      "%s\ntime: about, of %zu pictures on two cores of a processor (%.0f billion multiply-adds a "
      "second); done: in '%s'\n",
      table.text().c_str(), pictures, per_second / 1e9, set.out.c_str());
}

}  // namespace example
