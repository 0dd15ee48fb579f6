#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "program.hpp"

namespace example {

/// What the user of `train` gave; empty where nothing.
struct run_options {
  // What a run depends on.
  std::string recipe, model, data, val, init, convention, classes, preset, mode, batch;
  std::string optimizer, decay, loss, class_weights, augment, augment_rule, crop;
  std::optional<int> stages, size, min_size, accumulation, freeze_stages, estimate_bn;
  std::optional<double> epochs, lr, warmup, momentum, weight_decay, clip, ema;
  std::optional<double> dropout, survival, mixup, cutmix, rand_augment, random_erasing;
  std::optional<double> label_smoothing, augment_reach, smallest_area, flip, bn_momentum,
      layer_decay;
  std::optional<std::uint64_t> seed;
  std::optional<bool> freeze_bn, recompute, deterministic, winograd, bf16, tf32;
  // What changes nothing, except that bits depend on the number of threads.
  std::string out, backend = "cpu";
  std::optional<double> memory;
  double cache = 0.5, evaluate_every = 1;
  std::int64_t checkpoint_every = 0, stop_after = 0;
  int threads = 0, loader_threads = 1;
  bool resume = false, json = false, quiet = false, dry_run = false;
};

namespace detail {

/// Adds the options of one group.
class option_group {
 public:
  option_group(CLI::App& app, std::string title) : app_(app), title_(std::move(title)) {}

  void text(const char* name, std::string& to, const char* type, const char* help) const {
    app_.add_option(name, to, help)->type_name(type)->group(title_);
  }
  void choice(const char* name, std::string& to, const std::vector<std::string>& words,
              const char* help) const {
    add_choice(app_, name, to, words, help)->group(title_);
  }
  template <class Number>
  void number(const char* name, Number& to, double least, double most, const char* type,
              const char* help) const {
    const CLI::Validator in_range(
        [=](std::string& text) {
          double value = 0;
          if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most)
            return std::string();
          return most >= 1e6
                     ? effnet::sentence("'", text, "' is no number from ", least, " on")
                     : effnet::sentence("'", text, "' is no number from ", least, " to ", most);
        },
        "");
    app_.add_option(name, to, help)->check(in_range)->type_name(type)->group(title_);
  }
  void flag(const char* name, bool& to, const char* help) const {
    app_.add_flag(name, to, help)->group(title_);
  }
  /// With `--no-...` beside it.
  void flag(const std::string& name, std::optional<bool>& to, const char* help) const {
    app_.add_flag_function(
            "--" + name, [&to](std::int64_t) { to = true; }, help)
        ->group(title_);
    app_.add_flag_function(
            "--no-" + name, [&to](std::int64_t) { to = false; }, "Not that")
        ->group(title_);
  }

 private:
  CLI::App& app_;
  std::string title_;
};

inline void add_main_options(CLI::App& app, run_options& o) {
  const option_group group(app, "Options");
  group.text("--model", o.model, "M", "Name of the network, or FILE.json with its table");
  group.text("--data", o.data, "DATA",
             "Class folders, FILE.tar or a folder of tars, FILE.csv (lines path,label), "
             "shapes[:COUNT[xSIZE]], cifar10:DIR, cifar100:DIR or idx:DIR");
  group.text("--val", o.val, "DATA",
             "What to validate on, in the same forms (default: a fixed tenth of --data, which is "
             "not trained on)");
  group.text("--out", o.out, "DIR",
             "Where results go: a new or empty folder, unless with --resume");
  group.flag("--resume", o.resume,
             "Go on from last.ckpt in --out, with the options that the run had; from the start "
             "where there is none");
  group.choice("--preset", o.preset, {"paper", "slides", "automl", "fixed", "scratch", "finetune"},
               "What all that is not given follows from (default: finetune with --init; else paper "
               "for V2-S, M and L, automl for other V2, fixed for all else)");
  group.text("--recipe", o.recipe, "FILE",
             "recipe.json of a run, to be repeated; options win over it");
  group.text("--init", o.init, "FILE", "Weights to start from; selects the preset finetune");
  group.text(
      "--classes", o.classes, "FILE",
      "Names of the classes in their order, one a line, or JSON (default: those of the data)");
  group.number("--epochs", o.epochs, 1e-6, 1e6, "E", "Times that the data are seen");
  group.text("--batch", o.batch, "N|auto|auto-per-stage",
             "Images a step; auto: as many as --memory and the data allow");
  group.number("--seed", o.seed, 0, 9e15, "N", "Of all that is random");
  group.flag("--dry-run", o.dry_run, "Print schedule and memory plan and stop");
  group.flag("--json", o.json, "Print the results as one JSON object");
  group.flag("--quiet", o.quiet, "No schedule and no progress on stderr");
}

inline void add_schedule_options(CLI::App& app, run_options& o) {
  const option_group group(app, "Progressive learning (default: the preset's)");
  group.choice("--mode", o.mode,
               {"progressive", "resize_only", "random_resize", "random_resize_adaptive", "fixed"},
               "Which stage a step belongs to");
  group.number("--stages", o.stages, 1, 64, "N", "How many");
  group.number("--size", o.size, 32, 8192, "N",
               "Image side at the end; the one at the start in proportion");
  group.number("--min-size", o.min_size, 32, 8192, "N", "Image side at the start");
}

inline void add_optimizer_options(CLI::App& app, run_options& o) {
  const option_group group(app, "Optimizer (default: the preset's)");
  group.choice("--optimizer", o.optimizer, {"rmsprop", "sgd", "adamw"}, "Its kind");
  group.number("--lr", o.lr, 0, 1e3, "X",
               "Peak of the learning rate for a batch of 256; scaled with the batch");
  group.choice("--decay", o.decay, {"exponential", "cosine", "linear", "constant"},
               "How the learning rate falls");
  group.number("--warmup", o.warmup, 0, 1e6, "E", "Epochs in which it rises");
  group.number("--momentum", o.momentum, 0, 0.99999, "X", "Of rmsprop and sgd");
  group.number("--weight-decay", o.weight_decay, 0, 10, "X", "Its strength");
  group.number("--clip", o.clip, 0, 1e9, "X", "Largest gradient norm; 0: any");
  group.number("--ema", o.ema, 0, 0.9999999, "X",
               "Decay of the averages, which are evaluated and written; 0: none are kept");
  group.choice("--loss", o.loss, {"softmax", "sigmoid"}, "Its kind");
  group.text("--class-weights", o.class_weights, "balanced|FILE",
             "What classes weigh in the loss: against their counts, or a number a line");
}

inline void add_regularization_options(CLI::App& app, run_options& o) {
  const option_group group(app, "Regularization, at the end of training (default: the preset's)");
  group.number("--dropout", o.dropout, 0, 0.999, "P", "Probability");
  group.number("--survival", o.survival, 0.001, 1, "P",
               "Stochastic depth: probability that the last block is kept");
  group.number("--label-smoothing", o.label_smoothing, 0, 0.999, "X", "Share");
  group.number("--mixup", o.mixup, 0, 1e3, "X", "Alpha; 0: off");
  group.number("--cutmix", o.cutmix, 0, 1e3, "X", "Alpha; 0: off");
  group.number("--rand-augment", o.rand_augment, 0, 100, "X", "Magnitude; 0: off");
  group.number("--random-erasing", o.random_erasing, 0, 1, "P", "Probability");
  group.choice("--augment", o.augment,
               {"none", "rand_augment", "auto_augment", "auto_or_rand", "finetune"},
               "What is done to pictures besides crop and flip");
  group.choice("--augment-rule", o.augment_rule, {"released", "standard"},
               "Its operations as the papers' code has them, or as they were meant");
  group.number("--augment-reach", o.augment_reach, 0, 100, "X",
               "RandAugment's distances in pixels, which were made for images of 224 and more, are "
               "multiplied by this");
  group.choice("--crop", o.crop, {"v2", "v1", "torchvision", "whole"},
               "How the random crop is drawn; whole: none");
  group.number("--smallest-area", o.smallest_area, 0.001, 1, "P", "Of the crop, of the picture's");
  group.number("--flip", o.flip, 0, 1, "P", "Probability");
}

inline void add_transfer_options(CLI::App& app, run_options& o) {
  const option_group group(app, "Transfer (default: the preset's)");
  group.choice("--convention", o.convention, {"tf", "timm", "torchvision", "keras", "lite"},
               "Padding, batch norm and input rules (default: as --init has them, else tf)");
  group.number("--freeze-stages", o.freeze_stages, 0, 17, "N",
               "Do not train 1: the stem, 2: the stem and the first stage, ...");
  group.flag("freeze-bn", o.freeze_bn, "Keep the running statistics of batch norm as they are");
  group.number("--bn-momentum", o.bn_momentum, 0, 1, "X",
               "Weight of a batch in the running statistics; 0: the convention's");
  group.number("--estimate-bn", o.estimate_bn, 0, 100000, "N",
               "Batches from which the statistics are estimated anew at the end");
  group.number("--layer-decay", o.layer_decay, 0.01, 1, "X",
               "Learning rate of a block relative to that of the next");
}

inline void add_computing_options(CLI::App& app, run_options& o) {
  const option_group group(app, "Computing");
  group.choice("--backend", o.backend, {"cpu", "cuda"}, "What it trains on (default: cpu)");
  group.number("--threads", o.threads, 1, 1024, "N", "That compute (default: all)");
  group.number("--loader-threads", o.loader_threads, 1, 1024, "N", "That prepare pictures");
  group.number("--memory", o.memory, 0.05, 1e6, "GB",
               "For --batch auto (default: half of the free)");
  group.number("--cache", o.cache, 0, 1e6, "GB", "Memory that keeps decoded pictures");
  group.number("--accumulation", o.accumulation, 1, 4096, "N", "Parts in which a batch is run");
  group.flag("recompute", o.recompute,
             "Keep only what enters a block for the backward pass: less memory, more time");
  group.flag("deterministic", o.deterministic,
             "The same bits for any number of threads, at the price of speed");
  group.flag("winograd", o.winograd,
             "Dense 3x3 by Winograd's F(4x4, 3x3), where that is faster (default), or directly");
  group.flag("bf16", o.bf16,
             "1x1 convolutions multiply numbers rounded to bf16, where the processor can: faster; "
             "on a GPU "
             "all dense ones, and maps and their gradients are stored in bf16");
  group.flag("tf32", o.tf32, "On a GPU: dense convolutions multiply in TF32");
  group.number("--evaluate-every", o.evaluate_every, 1e-6, 1e9, "E",
               "Epochs between evaluations; stages end with one too");
  group.number("--checkpoint-every", o.checkpoint_every, 1, 9e15, "STEPS",
               "Between two last.ckpt (default: an epoch)");
  group.number("--stop-after", o.stop_after, 1, 9e15, "STEPS",
               "End here as on Ctrl-C, to go on with --resume");
}

}  // namespace detail

inline void add_run_options(CLI::App& app, run_options& options) {
  detail::add_main_options(app, options);
  detail::add_schedule_options(app, options);
  detail::add_optimizer_options(app, options);
  detail::add_regularization_options(app, options);
  detail::add_transfer_options(app, options);
  detail::add_computing_options(app, options);
}

}  // namespace example
