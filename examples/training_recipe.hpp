#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <effnet/train/progressive.hpp>

namespace example {

/// Everything that a training run depends on: the options of `train` as the user gave them, and
/// once `complete_recipe` has filled it in, as the run has them. These are the keys of recipe.json.
struct training_recipe {
  std::string model, data, val, preset, mode, init, convention, class_weights;
  std::optional<int> classes, stages, size, min_size, accumulation, freeze_stages;
  std::optional<std::int64_t> batch;
  std::optional<double> epochs, warmup, lr, weight_decay, momentum, clip, ema, layer_decay;
  std::optional<double> bn_momentum, label_smoothing, flip, smallest_area, dropout, survival, mixup,
      cutmix, rand_augment, random_erasing;
  std::string optimizer, decay, augment, augment_rule, crop, loss;
  std::optional<bool> freeze_bn, recompute, deterministic;
  std::optional<std::uint64_t> seed;
  /// Of a complete recipe. It was made from the fields of which `recipe_field::of_schedule` is
  /// true.
  std::vector<effnet::training_stage> schedule;
};

/// How a field is told: as option, in the help, as key.
struct recipe_field {
  std::string name;  ///< the option without its dashes
  std::string help, group, type;
  std::vector<std::string> choices = {};  ///< of texts; empty: any
  double least = 0, most = 0;             ///< of numbers
  bool of_schedule = false;

  std::string key() const {
    std::string made = name;
    for (char& c : made)
      if (c == '-') c = '_';
    return made;
  }
};

namespace detail {

inline recipe_field text_field(const char* name, const char* group, const char* type,
                               const char* help) {
  return {.name = name, .help = help, .group = group, .type = type};
}
inline recipe_field choice_field(const char* name, const char* group,
                                 std::vector<std::string> choices, const char* help) {
  return {.name = name, .help = help, .group = group, .type = {}, .choices = std::move(choices)};
}
inline recipe_field number_field(const char* name, const char* group, double least, double most,
                                 const char* help) {
  return {.name = name, .help = help, .group = group, .type = "X", .least = least, .most = most};
}
inline recipe_field of_schedule(recipe_field field) {
  field.of_schedule = true;
  return field;
}

template <class Recipe, class Visitor>
void for_each_main_field(Recipe& r, Visitor& visit) {
  visit(text_field("model", "", "M", "Name of the network, or FILE.json with its table"), r.model);
  visit(text_field("data", "", "DATA",
                   "Class folders, FILE.tar or a folder of tars, a list FILE.csv (path,label), "
                   "shapes[:COUNT[xSIZE]], cifar10:DIR, cifar100:DIR or idx:DIR"),
        r.data);
  visit(
      text_field("val", "", "DATA",
                 "What to validate on, in the same forms (default: a fixed tenth of --data, which "
                 "is not trained on)"),
      r.val);
  visit(of_schedule(choice_field(
            "preset", "", {"paper", "slides", "automl", "fixed", "scratch", "finetune"},
            "What all other options follow from (default: finetune with --init; else paper for "
            "V2-S, M and L, automl for other V2, fixed for all else)")),
        r.preset);
  visit(text_field("init", "", "FILE", "Weights to start from; selects the preset finetune"),
        r.init);
  visit(number_field("classes", "", 2, 1 << 20, "Of the network (default: those of the data)"),
        r.classes);
  visit(number_field("epochs", "", 1e-6, 1e6, "Times that the data are seen"), r.epochs);
}

template <class Recipe, class Visitor>
void for_each_schedule_field(Recipe& r, Visitor& visit) {
  const char* group = "Progressive learning (default: the preset's)";
  visit(of_schedule(choice_field(
            "mode", group,
            {"progressive", "resize_only", "random_resize", "random_resize_adaptive", "fixed"},
            "Which stage a step belongs to")),
        r.mode);
  visit(of_schedule(number_field("stages", group, 1, 64, "How many")), r.stages);
  visit(of_schedule(number_field("size", group, 32, 8192,
                                 "Image side at the end; the one at the start in proportion")),
        r.size);
  visit(of_schedule(number_field("min-size", group, 32, 8192, "Image side at the start")),
        r.min_size);
}

template <class Recipe, class Visitor>
void for_each_optimizer_field(Recipe& r, Visitor& visit) {
  const char* group = "Optimizer (default: the preset's)";
  visit(choice_field("optimizer", group, {"rmsprop", "sgd", "adamw"}, ""), r.optimizer);
  visit(number_field("lr", group, 0, 1e3, "Peak learning rate for a batch of 256; scaled with it"),
        r.lr);
  visit(choice_field("decay", group, {"exponential", "cosine", "linear", "constant"},
                     "How the learning rate falls"),
        r.decay);
  visit(number_field("warmup", group, 0, 1e6, "Epochs in which it rises"), r.warmup);
  visit(number_field("momentum", group, 0, 0.99999, "Of rmsprop and sgd"), r.momentum);
  visit(number_field("weight-decay", group, 0, 10, ""), r.weight_decay);
  visit(number_field("clip", group, 0, 1e9, "Largest gradient norm; 0: any"), r.clip);
  visit(number_field("ema", group, 0, 0.9999999,
                     "Decay of the averages, which are evaluated and written; 0: none"),
        r.ema);
  visit(choice_field("loss", group, {"softmax", "sigmoid"}, ""), r.loss);
  visit(text_field("class-weights", group, "balanced|FILE",
                   "Weights of the classes in the loss: by their counts, or one a line"),
        r.class_weights);
}

template <class Recipe, class Visitor>
void for_each_regularization_field(Recipe& r, Visitor& visit) {
  const char* group = "Regularization, at the end of training (default: the preset's)";
  visit(of_schedule(number_field("dropout", group, 0, 0.999, "Probability")), r.dropout);
  visit(of_schedule(number_field("survival", group, 0.001, 1,
                                 "Stochastic depth: probability that the last block is kept")),
        r.survival);
  visit(of_schedule(number_field("mixup", group, 0, 1e3, "Alpha; 0: off")), r.mixup);
  visit(of_schedule(number_field("cutmix", group, 0, 1e3, "Alpha; 0: off")), r.cutmix);
  visit(of_schedule(number_field("rand-augment", group, 0, 100, "Magnitude; 0: off")),
        r.rand_augment);
  visit(of_schedule(number_field("random-erasing", group, 0, 1, "Probability")), r.random_erasing);
  visit(number_field("label-smoothing", group, 0, 0.999, ""), r.label_smoothing);
  visit(choice_field("augment", group,
                     {"none", "rand_augment", "auto_augment", "auto_or_rand", "finetune"},
                     "What is done to pictures besides crop and flip"),
        r.augment);
  visit(choice_field("augment-rule", group, {"released", "standard"},
                     "Its operations as the papers' code has them, or as they were meant"),
        r.augment_rule);
  visit(choice_field("crop", group, {"v2", "v1", "torchvision", "whole"},
                     "How the random crop is drawn; whole: none"),
        r.crop);
  visit(number_field("smallest-area", group, 0.001, 1, "Of the crop, of the picture's"),
        r.smallest_area);
  visit(number_field("flip", group, 0, 1, "Probability"), r.flip);
}

template <class Recipe, class Visitor>
void for_each_transfer_field(Recipe& r, Visitor& visit) {
  const char* group = "Transfer";
  visit(choice_field("convention", group, {"tf", "timm", "torchvision", "keras", "lite"},
                     "Padding, batch norm and input rules (default: those of --init, else tf)"),
        r.convention);
  visit(number_field("freeze-stages", group, 0, 17,
                     "Do not train 1: the stem, 2: the stem and the first stage, ..."),
        r.freeze_stages);
  visit(text_field("freeze-bn", group, "", "Keep the running statistics of batch norm"),
        r.freeze_bn);
  visit(number_field("bn-momentum", group, 0, 1,
                     "Weight of a batch in the running statistics; 0: the convention's"),
        r.bn_momentum);
  visit(number_field("layer-decay", group, 0.01, 1,
                     "Learning rate of a block, relative to that of the next"),
        r.layer_decay);
}

template <class Recipe, class Visitor>
void for_each_computation_field(Recipe& r, Visitor& visit) {
  const char* group = "Computation";
  visit(recipe_field{.name = "batch",
                     .help = "Images a step; auto: as many as --memory and the data allow",
                     .group = group,
                     .type = "N|auto",
                     .least = 1,
                     .most = 1 << 20},
        r.batch);
  visit(number_field("accumulation", group, 1, 4096, "Parts in which a batch is run"),
        r.accumulation);
  visit(text_field("recompute", group, "",
                   "Keep only what enters a block for the backward pass: less memory, more time"),
        r.recompute);
  visit(number_field("seed", group, 0, 9e15, "Of all that is random"), r.seed);
  visit(text_field("deterministic", group, "",
                   "The same bits for any number of threads, at the price of speed"),
        r.deterministic);
}

}  // namespace detail

/// Calls visit(field, member) for every field but `schedule`. Options, files, comparisons and the
/// report all come from this list.
template <class Recipe, class Visitor>
void for_each_field(Recipe& recipe, Visitor&& visit) {
  detail::for_each_main_field(recipe, visit);
  detail::for_each_schedule_field(recipe, visit);
  detail::for_each_optimizer_field(recipe, visit);
  detail::for_each_regularization_field(recipe, visit);
  detail::for_each_transfer_field(recipe, visit);
  detail::for_each_computation_field(recipe, visit);
}

/// Whether the user, or a recipe, said something about a field.
inline bool is_given(const std::string& value) {
  return !value.empty();
}
template <class Value>
bool is_given(const std::optional<Value>& value) {
  return value.has_value();
}

/// Calls visit(field, one's member, other's member) for every field.
template <class One, class Other, class Visitor>
void for_each_pair(One& one, Other& other, Visitor&& visit) {
  // The same list twice: members of the second are found by their place in it.
  std::size_t at = 0;
  for_each_field(one, [&](const recipe_field& field, auto& mine) {
    std::size_t k = 0;
    for_each_field(other, [&](const recipe_field&, auto& theirs) {
      if constexpr (std::is_same_v<std::decay_t<decltype(mine)>, std::decay_t<decltype(theirs)>>)
        if (k == at) visit(field, mine, theirs);
      ++k;
    });
    ++at;
  });
}

}  // namespace example
