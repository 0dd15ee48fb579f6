#pragma once

#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

/// What the repetitions of a benchmark share: the `Prepared` that `make()` returns, made for the
/// first of them. One at a time is kept, for they are large.
template <class Prepared, class Make>
Prepared& prepared_for(const std::string& name, const Make& make) {
  static std::string kept_for;
  static std::unique_ptr<Prepared> kept;
  if (kept_for != name) {
    kept.reset();  // the old one first: both at once would be the peak
    kept = make();
    kept_for = name;
  }
  return *kept;
}

/// Registers `run(state, threads)` on one thread and on all, as NAME/threads:N. Every repetition
/// times one pass, so that the aggregates are of passes; "min" is the figure to compare on a
/// machine that others use too.
template <class Run>
void add_repeated(const std::string& name, int repetitions, Run run) {
  for (int threads : {1, omp_get_max_threads()}) {
    benchmark::RegisterBenchmark((name + "/threads:" + std::to_string(threads)).c_str(),
                                 [run, threads](benchmark::State& state) { run(state, threads); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime()
        ->Iterations(1)
        ->Repetitions(repetitions)
        ->ComputeStatistics("min", [](const std::vector<double>& times) {
          return *std::min_element(times.begin(), times.end());
        });
    if (omp_get_max_threads() == 1) break;
  }
}
