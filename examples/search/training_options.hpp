#pragma once

#include <algorithm>
#include <string>
#include <thread>

#include "program.hpp"
#include "search/training_task.hpp"

namespace example {

/// Options of studies that train many networks for a short time.
struct short_training_options {
  std::string data;
  int size = 48, epochs = 4, batch = 32, threads = 1;
  int workers = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  double rate = 0.024, cache = 4;

  short_training how() const {
    return {.data = data,
            .epochs = epochs,
            .batch = batch,
            .rate = rate,
            .cache = cache,
            .threads = threads};
  }
};

inline void add_training_options(CLI::App& app, short_training_options& chosen,
                                 const std::string& group = "Options") {
  app.add_option("--data", chosen.data,
                 "Pictures to train on, as of the program train; a tenth is held out, on which "
                 "networks are judged")
      ->type_name("D")
      ->group(group);
  app.add_option("--size", chosen.size, "Image side in pixels (default 48)")
      ->check(between(32, 1024))
      ->type_name("N")
      ->group(group);
  app.add_option("--epochs", chosen.epochs, "That each network is trained for (default 4)")
      ->check(between(1, 10'000))
      ->type_name("N")
      ->group(group);
  app.add_option("--batch", chosen.batch, "Images a training step (default 32)")
      ->check(between(2, 4096))
      ->type_name("N")
      ->group(group);
  app.add_option("--rate", chosen.rate, "Learning rate for a batch of 256 (default 0.024)")
      ->check(CLI::Range(1e-9, 1e6).description(""))
      ->type_name("R")
      ->group(group);
  app.add_option(
         "--cache", chosen.cache,
         "GB of decoded pictures that workers keep, all together, beside the held-out ones at "
         "--size (default 4)")
      ->check(CLI::Range(0.0, 1e6).description(""))
      ->type_name("GB")
      ->group(group);
  app.add_option("--workers", chosen.workers, "Processes that train (default: one a core)")
      ->check(between(1, 1024))
      ->type_name("N")
      ->group(group);
  app.add_option("--threads", chosen.threads, "Threads of each (default 1)")
      ->check(between(1, 1024))
      ->type_name("N")
      ->group(group);
}

}  // namespace example
