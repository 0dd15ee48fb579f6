#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <effnet/search/search_space.hpp>

namespace effnet {

/// What the decisions of a stage may be together: one of each different row, as the options that
/// it takes, decision by decision.
inline std::vector<std::vector<int>> stage_rows(const search_space& space, std::size_t stage) {
  candidate plain(space.decisions().size(), 0);
  std::vector<std::size_t> here;
  for (std::size_t d = 0; d < plain.size(); ++d)
    if (space.decisions()[d].stage == stage) here.push_back(d);
  std::vector<std::vector<int>> rows;
  for (;;) {
    const candidate same = space.canonical(plain);
    std::vector<int> row;
    for (const std::size_t d : here) row.push_back(same[d]);
    if (same == plain) rows.push_back(std::move(row));
    std::size_t k = here.size();
    while (k > 0 && ++plain[here[k - 1]] == space.decisions()[here[k - 1]].options)
      plain[here[--k]] = 0;
    if (k == 0) return rows;
  }
}

}  // namespace effnet
