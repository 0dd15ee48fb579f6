#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <effnet/cpu_training.hpp>
#include <effnet/io/atomic_file.hpp>
#include <effnet/search.hpp>
#include <effnet/train/checkpoint_rotation.hpp>
#if EXAMPLE_WITH_CUDA
#include <effnet/cuda.cuh>
#include <effnet/cuda/device_facts.cuh>
#endif

#include "backend_options.hpp"
#include "experiments/experiment_set.hpp"
#include "experiments/train_process.hpp"
#include "terminal_line.hpp"
#include "training/interruption.hpp"
#include "version.hpp"

namespace example {

/// Seconds of a pass, the shortest of some.
inline double measured(const timing& of, const scale& at, const std::string& backend) {
  const effnet::timing how{.batch = of.batch, .seconds = at.name == scale_name::smoke ? 0.01 : 1};
  if (backend == "cuda") {
#if EXAMPLE_WITH_CUDA
    const effnet::cuda_backend on = cuda_backend_with(false, true);  // bf16, as trainings there
    return of.of_training ? effnet::measured_step(of.network, of.size, of.size, on, how)
                          : effnet::measured_latency(of.network, of.size, of.size, on, how);
#else
    throw effnet::backend_error(built_without_cuda);
#endif
  }
  return of.of_training ? effnet::measured_step(of.network, of.size, of.size,
                                                effnet::cpu_training_backend(of.threads), how)
                        : effnet::measured_latency(of.network, of.size, of.size,
                                                   effnet::cpu_backend(of.threads), how);
}

/// How trials are run.
struct running {
  int workers = 1;                ///< trainings at once, which share the processor's cores
  std::optional<double> seconds;  ///< after which nothing more is begun, and what runs is stopped
  std::size_t pictures = 0;       ///< of the data, about
  bool quiet = false;
};

/// Runs trials, as many trainings at once as there are workers; what must not be disturbed, alone.
/// Outcomes are kept as soon as they are there, so that a run that is stopped goes on where it was.
class trial_runner {
 public:
  enum class end { finished, out_of_time, interrupted };

  trial_runner(const set_options& set, const running& how) : set_(set), how_(how) {}

  /// Adds the trials of an experiment that have no outcome yet, those of its first seed first, so
  /// that a run that is stopped leaves pairs to compare.
  void add(const experiment& of) {
    std::vector<const trial*> by_seed;
    for (const trial& one : of.trials) by_seed.push_back(&one);
    std::ranges::stable_sort(by_seed, {}, &trial::seed);
    for (const trial* one : by_seed) {
      const trial_folder folder = folder_of(of, *one, set_);
      const double work = one->work(how_.pictures);
      total_ += work;
      if (folder.result())
        done_ += work, remove_checkpoints(folder);
      else
        waiting_.push_back({&of, one, folder, work});
    }
    before_ = done_;
    // Rounds of timings some time apart, whatever experiments they are of.
    waiting_.sort([](const job& a, const job& b) { return a.round() < b.round(); });
  }
  /// A sentence for each training that came to nothing; the others went on.
  const std::vector<std::string>& failures() const { return failures_; }

  end run(const interruption& asked) {
    while (!running_.empty() || std::ranges::any_of(waiting_, [&](const job& one) {
      return may_start(one);  // not so where what it starts from has failed
    })) {
      const bool over = how_.seconds && seconds() > *how_.seconds;
      if (asked.asked() || over)
        return stopped(asked.asked() ? end::interrupted : end::out_of_time);
      if (start_one()) continue;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      collect();
      show();
    }
    line_.clear();
    return end::finished;
  }

 private:
  struct job {
    const experiment* of;
    const trial* what;
    trial_folder folder;
    double work;
    std::unique_ptr<train_process> process = {};

    std::string title() const { return effnet::sentence(of->name, ": ", what->title()); }
    int round() const { return what->is_training() ? 0 : what->seed; }
  };

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  bool may_start(const job& next) const {
    if (!running_.empty() && (next.what->runs_alone() || running_.front().what->runs_alone()))
      return false;
    if (running_.size() >= static_cast<std::size_t>(how_.workers)) return false;
    const auto* run = std::get_if<training>(&next.what->what);
    return run == nullptr || run->start_from.empty() || start_of(next);
  }
  /// The weights that a training starts from, when they are there.
  std::optional<std::string> start_of(const job& next) const {
    const std::string& name = std::get<training>(next.what->what).start_from;
    for (const trial& other : next.of->trials) {
      if (other.name != name || other.seed != next.what->seed) continue;
      const trial_folder folder = folder_of(*next.of, other, set_);
      if (folder.result()) return folder.file("weights.safetensors");
    }
    return std::nullopt;
  }

  /// Starts the first that may; a timing is over when this returns.
  bool start_one() {
    const auto next =
        std::ranges::find_if(waiting_, [&](const job& one) { return may_start(one); });
    if (next == waiting_.end()) return false;
    job here = std::move(*next);
    waiting_.erase(next);
    here.folder.open();
    if (const auto* of = std::get_if<timing>(&here.what->what)) {
      show(here.title());
      try {
        const double seconds = measured(*of, scale_of(set_), set_.backend);
        finish(here, {.seconds = seconds, .top1 = 0, .rows = {}, .machine = machine()});
      } catch (const std::bad_alloc&) {
        failures_.push_back(here.title() + " failed: there is not enough memory for it");
      }
      return true;
    }
    if (!goes_on(here)) {
      remove_checkpoints(here.folder);
      std::error_code gone;
      std::filesystem::remove(here.folder.file("recipe.json"), gone);
    }
    here.process = std::make_unique<train_process>(options_of(here), here.folder.file("train.log"));
    running_.push_back(std::move(here));
    return true;
  }

  /// Whether a training that was begun has the files under their names of now: a set, or the data,
  /// may have been moved, and `train` goes on with what it began with only.
  bool goes_on(const job& here) const {
    std::ifstream from(here.folder.file("recipe.json"), std::ios::binary);
    const auto recipe = nlohmann::json::parse(from, nullptr, false);
    const training& run = std::get<training>(here.what->what);
    return recipe.is_object() && recipe.value("model", "") == here.folder.file("network.json") &&
           recipe.value("data", "") == (run.on_other_set ? set_.other_data : set_.data) &&
           recipe.value("val", "") == (run.on_other_set ? set_.other_val : set_.val);
  }

  std::vector<std::string> options_of(const job& here) const {
    const training& run = std::get<training>(here.what->what);
    const std::string table = here.folder.file("network.json");
    effnet::atomic_file file(table);
    file.write(effnet::spec_to_json(run.network));
    file.commit();
    const int cores = effnet::cpu_backend(0).threads();
    const int threads = here.what->runs_alone() ? cores : std::max(1, cores / how_.workers);
    std::vector<std::string> options = {"--resume"};
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty()) options.insert(options.end(), {name, value});
    };
    add("--model", table);
    add("--data", run.on_other_set ? set_.other_data : set_.data);
    add("--val", run.on_other_set ? set_.other_val : set_.val);
    add("--size", std::to_string(run.size));
    add("--epochs", std::to_string(run.epochs));
    add("--seed", std::to_string(here.what->seed));
    add("--out", here.folder.path().string());
    add("--backend", set_.backend);
    add("--threads", std::to_string(threads));
    if (!run.start_from.empty()) add("--init", start_of(here).value_or(""));
    if (set_.backend == "cuda") options.push_back("--bf16");
    options.insert(options.end(), run.options.begin(), run.options.end());
    return options;
  }

  /// Takes the outcomes of trainings that have ended.
  void collect() {
    for (auto at = running_.begin(); at != running_.end();) {
      std::string problem;
      try {
        if (!at->process->has_ended()) {
          ++at;
          continue;
        }
      } catch (const effnet::error& e) {
        problem = e.what();
      }
      const job here = std::move(*at);
      at = running_.erase(at);
      const logged_rows rows = read_training_log(here.folder.path() / "log.jsonl", INT64_MAX);
      if (problem.empty() && (rows.evaluations.empty() ||
                              !std::filesystem::exists(here.folder.file("weights.safetensors"))))
        problem = effnet::sentence("it ended without results, see ",
                                   effnet::path_in_quotes(here.folder.file("train.log")));
      if (!problem.empty()) {
        failures_.push_back(effnet::sentence(here.title(), " failed: ", problem));
        continue;
      }
      finish(here, {.seconds = rows.seconds(),
                    .top1 = rows.evaluations.back().top1,
                    .rows = rows,
                    .machine = machine()});
      remove_checkpoints(here.folder);  // after which there would be no way back
    }
  }

  /// A finished training's, which are larger than all else of it.
  static void remove_checkpoints(const trial_folder& of) {
    for (const char* checkpoint : {"last.ckpt", "best.ckpt"}) {
      std::error_code gone;
      std::filesystem::remove(of.file(checkpoint), gone);
      std::filesystem::remove(effnet::previous_checkpoint(of.file(checkpoint)), gone);
    }
  }

  void finish(const job& here, const outcome& made) {
    here.folder.finish(made);
    done_ += here.work;
    if (how_.quiet) return;
    const std::string what =
        here.what->is_training()
            ? effnet::sentence("top-1 ", fixed(made.top1, 1), " % in ", clock_text(made.seconds))
            : effnet::sentence(fixed(1e3 * made.seconds, 2), " ms");
    line_.print(effnet::sentence(here.title(), ": ", what, " (", waiting_.size() + running_.size(),
                                 " to go)"));
  }

  static bool has_stopped(job& one) try {
    return one.process->has_ended();
  } catch (const effnet::error&) {
    return true;  // it goes on from its last checkpoint, or fails again
  }

  end stopped(end how) {
    for (job& one : running_) one.process->stop();
    for (job& one : running_)
      while (!has_stopped(one)) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    line_.clear();
    return how;
  }

  /// Draws the bar, twice a second at most.
  void show(const std::string& name = "") {
    if (how_.quiet || !line_.is_terminal() || seconds() < shown_ + 0.5) return;
    shown_ = seconds();
    double done = done_;
    std::string names = name;
    for (const job& one : running_) {
      const auto rows = read_training_log(one.folder.path() / "log.jsonl", INT64_MAX);
      const double epochs = std::get<training>(one.what->what).epochs;
      if (!rows.steps.empty()) done += one.work * std::min(1.0, rows.steps.back().epoch / epochs);
      names += (names.empty() ? "" : ", ") + one.title();
    }
    const double made = done - before_;
    const std::string left =
        made > 0 ? clock_text(seconds() * (total_ - done) / made) : std::string("?");
    line_.draw(done / total_,
               effnet::sentence(fixed(100 * done / total_, 0), " %  ETA ", left, "  ", names));
  }

  std::string machine() const {
#if EXAMPLE_WITH_CUDA
    if (set_.backend == "cuda") return effnet::cuda::device_name();
#endif
    return effnet::sentence(processor_name(), ", ", effnet::cpu_backend(0).threads(), " threads");
  }

  const set_options& set_;
  running how_;
  std::list<job> waiting_, running_;
  std::vector<std::string> failures_;
  double total_ = 0, done_ = 0, before_ = 0, shown_ = -1;
  terminal_line line_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace example
