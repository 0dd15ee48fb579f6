#pragma once

#include <cmath>
#include <cstddef>
#include <string>

#include "search/search_record.hpp"
#include "search/stages_text.hpp"
#include "text_table.hpp"

namespace example {

/// Trials of a search, a row each.
class trial_table {
 public:
  explicit trial_table(const effnet::search_space& space) : space_(space) {
    for (const char* title : {"trial", "reward", "top-1 %", "step ms", "parameters", "MACs (M)"})
      table_.column(title);
    table_.column("stages", text_table::side::left);
  }

  void add(std::size_t number, const recorded_trial& trial) {
    table_.row({std::to_string(number), fixed(trial.reward, 4),
                fixed(100 * trial.measures.accuracy, 1),
                fixed(1e3 * trial.measures.step_seconds, 2),
                grouped(std::llround(trial.measures.parameters)),
                fixed(trial.measures.flops / 1e6, 2), stages_text(space_.decode(trial.of))});
  }
  const text_table& table() const { return table_; }

 private:
  const effnet::search_space& space_;
  text_table table_;
};

}  // namespace example
