#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <effnet/search/stage_rows.hpp>

namespace effnet {

namespace detail {

/// How often a row repeats its block.
inline int repeats_of_row(const search_space& space, std::size_t stage,
                          const std::vector<int>& row) {
  const std::vector<int>& options = space.stages()[stage].repeats;
  std::size_t k = 0;
  for (const search_space::decision& d : space.decisions()) {
    if (d.stage != stage) continue;
    if (d.what == stage_decision::repeats) return options[static_cast<std::size_t>(row[k])];
    ++k;
  }
  return options.front();
}

}  // namespace detail

/// Candidates that have between them every block that a network of the space can have: every row
/// behind every source that it can be given, and every last stage. They are few: what stages decide
/// is put together for neighbours only.
inline std::vector<candidate> covering_candidates(const search_space& space) {
  const std::size_t stages = space.stages().size();
  std::vector<std::vector<std::vector<int>>> deepest(stages);  // rows with as many blocks as may be
  std::vector<std::optional<std::vector<int>>> left_out(stages);
  std::vector<std::vector<std::vector<int>>> sources(stages);  // a row of each number of channels
  for (std::size_t s = 0; s < stages; ++s) {
    const std::vector<int>& repeats = space.stages()[s].repeats;
    const int most = *std::max_element(repeats.begin(), repeats.end());
    std::vector<std::vector<int>> rows = stage_rows(space, s);
    std::size_t width = 0, decisions = 0;  // where it stands in a row
    for (const search_space::decision& d : space.decisions())
      if (d.stage == s && d.what == stage_decision::width)
        width = ++decisions;
      else
        decisions += d.stage == s;
    for (std::vector<int>& row : rows) {
      const int here = detail::repeats_of_row(space, s, row);
      if (here == 0) left_out[s] = row;
      if (here != most) continue;
      const auto like = std::find_if(sources[s].begin(), sources[s].end(), [&](const auto& other) {
        return width == 0 || other[width - 1] == row[width - 1];
      });
      if (like == sources[s].end()) sources[s].push_back(row);
      deepest[s].push_back(std::move(row));
    }
  }
  std::vector<candidate> found;
  const auto put_together = [&](const std::vector<const std::vector<int>*>& rows) {
    candidate made;
    for (const std::vector<int>* row : rows) made.insert(made.end(), row->begin(), row->end());
    found.push_back(std::move(made));
  };
  std::vector<const std::vector<int>*> rows(stages);
  // Stage s, or the end behind the last one, behind each stage before it or the stem; those between
  // are left out.
  for (std::size_t s = 0; s <= stages; ++s)
    for (std::size_t behind = s + 1; behind-- > 0;) {  // 0 is the stem, else stage behind - 1
      for (std::size_t i = 0; i < stages; ++i) rows[i] = &deepest[i].front();
      bool possible = true;
      for (std::size_t i = behind; i < s; ++i) {
        possible = possible && left_out[i].has_value();
        if (possible) rows[i] = &*left_out[i];
      }
      if (!possible) break;
      if (behind == 0 && s == stages) continue;  // nothing is left
      const std::size_t widths = behind == 0 ? 1 : sources[behind - 1].size();
      for (std::size_t w = 0; w < widths; ++w) {
        if (behind > 0) rows[behind - 1] = &sources[behind - 1][w];
        if (s == stages) put_together(rows);
        for (std::size_t i = 0; s < stages && i < deepest[s].size(); ++i) {
          rows[s] = &deepest[s][i];
          put_together(rows);
        }
      }
    }
  return found;
}

}  // namespace effnet
