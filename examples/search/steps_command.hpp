#pragma once

#include <cstdint>
#include <cstdio>

#include <effnet/cpu_training.hpp>

#include "program.hpp"
#include "search/space_options.hpp"
#include "search/step_study.hpp"

namespace example {

struct step_options {
  space_options space;
  int size = 64, networks = 30, calibrated_on = 10, threads = 0;
  std::uint64_t seed = 0;
  effnet::timing timing;
  bool json = false, quiet = false;
};

inline void add_steps(CLI::App& app, step_options& chosen) {
  add_space_options(app, chosen.space);
  app.add_option("--size", chosen.size, "Image side in pixels (default 64)")
      ->check(between(32, 1024))
      ->type_name("N");
  app.add_option("--batch", chosen.timing.batch, "Images a step (default 16)")
      ->check(between(2, 4096))
      ->type_name("N");
  app.add_option("--networks", chosen.networks,
                 "Networks that the prediction is checked on (default 30)")
      ->check(between(2, 10'000))
      ->type_name("N");
  app.add_option("--calibrate", chosen.calibrated_on,
                 "Networks besides, by which the sums are put right (default 10)")
      ->check(between(0, 10'000))
      ->type_name("N");
  app.add_option("--seed", chosen.seed, "Of the drawing (default 0)")->type_name("N");
  app.add_option("--threads", chosen.threads, "Threads (default: all)")
      ->check(between(1, 1024))
      ->type_name("N");
  app.add_flag("--json", chosen.json, "Print JSON, with the time of every shape");
  app.add_flag("--quiet", chosen.quiet, "No progress on stderr");
}

inline void time_steps(const step_options& chosen) {
  const effnet::search_space of = chosen.space.space();
  step_study study(of, chosen.size, chosen.calibrated_on, chosen.timing);
  study.run(chosen.networks, chosen.seed, effnet::cpu_training_backend(chosen.threads),
            !chosen.quiet);
  chosen.json ? void(std::printf("%s\n", study.json().dump(2).c_str())) : study.print();
}

}  // namespace example
