#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "progress_bar.hpp"
#include "search/journal.hpp"
#include "search/scaling_record.hpp"
#include "search/worker_processes.hpp"

namespace example {

/// The grid search for compound constants (EfficientNet, section 3.3): all of a grid are trained at
/// phi 1; then the best of them, and each dimension alone, at larger phi. Keeps a journal.
class scaling_search {
 public:
  explicit scaling_search(journal& to) : journal_(to), record_(scaling_record_of(to.text())) {}

  const scaling_record& record() const { return record_; }

  void run(std::size_t workers, bool shown, const interruption& asked) {
    worker_pool pool(workers, record_.how);
    std::vector<scaling_record::point> points = {{0, 0}};
    for (std::size_t i = 0; i < record_.grid().size(); ++i) points.push_back({i, 1});
    train("networks of the grid", points, pool, shown, asked);
    points.clear();
    for (int phi = 2; phi <= record_.trained_phi; ++phi) {
      for (std::size_t single = 0; single < 3; ++single) points.push_back({single, phi});
      if (record_.best() >= 3) points.push_back({record_.best(), phi});
    }
    train("networks of larger phi", points, pool, shown, asked);
  }

 private:
  void train(const char* what, const std::vector<scaling_record::point>& points, worker_pool& pool,
             bool shown, const interruption& asked) {
    std::deque<training_task> tasks;
    std::vector<std::pair<scaling_record::point, std::uint64_t>> of;  // by number of the task
    for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(record_.seeds); ++seed)
      for (const scaling_record::point& point : points) {
        if (const auto at = record_.done.find(point);
            at != record_.done.end() && at->second.contains(seed))
          continue;
        tasks.push_back(
            {.number = of.size(), .spec = record_.network(point), .seed = seed, .bars = {}});
        of.emplace_back(point, seed);
      }
    if (tasks.empty()) return;
    progress_bar progress(what, tasks.size(), shown);
    pool.run(std::move(tasks), asked, [&](const training_outcome& made) {
      const auto& [point, seed] = of[made.number];
      const scaling_record::training one{made.accuracy(), made.seconds};
      journal_.add(json_of(record_, point, seed, one));
      record_.done[point][seed] = one;
      progress.advance();
    });
    progress.clear();
  }

  journal& journal_;
  scaling_record record_;
};

}  // namespace example
