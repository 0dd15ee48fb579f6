#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <effnet/arch/network_spec.hpp>
#include <effnet/train/decay_set.hpp>
#include <effnet/train/ema.hpp>
#include <effnet/train/learning_rate.hpp>

namespace effnet {

/// How training images are changed before they are mixed.
enum class augmentation {
  none,        ///< crop and flip only
  of_network,  ///< what the network's authors trained it with: AutoAugment or RandAugment
  finetune,    ///< squashed to the size, flipped, a square of 2 * (size / 4) cut out
};

/// The image size that a recipe trains at, where progressive learning does not say otherwise.
enum class size_rule {
  of_network,    ///< the table's `train_size`
  as_evaluated,  ///< `finetune_size` of the table's `eval_size`
  always_224,
};

/// Training size of V1 networks in google/automl: four fifths of the evaluation size, down to a
/// multiple of 16. (tensorflow/tpu trains them at the evaluation size.)
constexpr int v1_train_size(int eval_size) {
  return eval_size * 4 / 5 / 16 * 16;
}
/// Fine-tuning size in google/automl: the evaluation size, down to a multiple of 16.
constexpr int finetune_size(int eval_size) {
  return eval_size / 16 * 16;
}

/// The optimizer settings that recipes share are `rmsprop`'s defaults; this is the rest.
struct recipe {
  std::string_view name;
  std::string_view source;
  std::int64_t train_images = 0;
  int classes = 0;
  std::int64_t batch = 4096;
  double epochs = 350;
  std::int64_t min_steps = 0;
  decay_rule decay = decay_rule::exponential;
  double base_rate = 0.016;  ///< for a batch of 256
  double warmup_epochs = 5;
  float label_smoothing = 0.1f;
  double ema_decay = 0.9999;
  double weight_decay = 1e-5;
  decay_set decayed = decay_set::kernels;
  std::optional<float> dropout = {};  ///< empty: the network's
  float survival = 0.8f;              ///< stochastic depth: of the last block
  augmentation augment = augmentation::of_network;
  int progressive_stages = 0;  ///< of V2 networks; 0: one size
  size_rule size = size_rule::of_network;

  /// Steps of a run on `images` images: whole batches of all epochs, but at least `min_steps`.
  std::int64_t total_steps(std::int64_t images) const {
    const double steps = epochs * static_cast<double>(images) / static_cast<double>(batch);
    return std::max(min_steps, static_cast<std::int64_t>(steps));
  }

  /// The learning rate of a run on `images` images.
  learning_rate rate(std::int64_t images) const {
    return {.base = base_rate,
            .batch = static_cast<double>(batch),
            .steps_per_epoch = static_cast<double>(images) / static_cast<double>(batch),
            .total_steps = total_steps(images),
            .decay = decay,
            .warmup_epochs = warmup_epochs};
  }

  /// The image side to train a network at, pixels.
  constexpr int image_size(const network_spec& spec) const {
    switch (size) {
      case size_rule::of_network:
        return spec.train_size;
      case size_rule::as_evaluated:
        return finetune_size(spec.eval_size);
      case size_rule::always_224:
        return 224;
    }
    return spec.train_size;
  }

  ema average() const { return {.decay = ema_decay}; }
};

namespace detail {

/// Fine-tuning as google/automl's datasets.py has it. Its dropout of 1e-6 keeps the layer and turns
/// it off, which 0 does here.
constexpr recipe finetune(std::string_view name, std::int64_t images, int classes) {
  return {.name = name,
          .source = "google/automl efficientnetv2/datasets.py",
          .train_images = images,
          .classes = classes,
          .batch = 512,
          .epochs = 15,
          .min_steps = 10'000,
          .decay = decay_rule::constant,
          .base_rate = 0.0005,
          .warmup_epochs = 1,
          .ema_decay = 0.9996,
          .dropout = 0.0f,
          .augment = augmentation::finetune,
          .size = size_rule::as_evaluated};
}

/// Transfer as the paper describes it: cosine to 0, no weight decay.
constexpr recipe paper_finetune(recipe base, std::string_view name) {
  base.name = name;
  base.source = "arXiv 2104.00298, section 5";
  base.decay = decay_rule::cosine;
  base.weight_decay = 0;
  return base;
}

}  // namespace detail

/// The published recipes. The paper's fine-tuning differs from the released code's, hence two.
inline constexpr recipe imagenet{.name = "imagenet",
                                 .source = "google/automl efficientnetv2/datasets.py",
                                 .train_images = 1'256'144,
                                 .classes = 1000,
                                 .progressive_stages = 4};
inline constexpr recipe imagenet_v1{.name = "imagenet_v1",
                                    .source = "tensorflow/tpu models/official/efficientnet",
                                    .train_images = 1'281'167,
                                    .classes = 1000,
                                    .batch = 2048,
                                    .decayed = decay_set::all_but_batch_norm};
inline constexpr recipe imagenet21k{.name = "imagenet21k",
                                    .source = "google/automl efficientnetv2/datasets.py",
                                    .train_images = 12'720'275,
                                    .classes = 21'843,
                                    .epochs = 60,
                                    .decay = decay_rule::cosine,
                                    .base_rate = 0.008,
                                    .warmup_epochs = 1,
                                    .label_smoothing = 0,
                                    .dropout = 0.0f,
                                    .survival = 1,
                                    .augment = augmentation::none,
                                    .size = size_rule::always_224};
inline constexpr recipe imagenet_finetune = detail::finetune("imagenet_finetune", 1'256'144, 1000);
inline constexpr recipe cifar10_finetune = detail::finetune("cifar10_finetune", 50'000, 10);
inline constexpr recipe cifar100_finetune = detail::finetune("cifar100_finetune", 50'000, 100);
inline constexpr recipe flowers_finetune = detail::finetune("flowers_finetune", 1'020, 102);
inline constexpr recipe tf_flowers_finetune = detail::finetune("tf_flowers_finetune", 2'569, 5);
inline constexpr recipe cars_finetune = detail::finetune("cars_finetune", 8'144, 196);
inline constexpr recipe paper_imagenet_finetune =
    detail::paper_finetune(imagenet_finetune, "paper_imagenet_finetune");
inline constexpr recipe paper_transfer =
    detail::paper_finetune(detail::finetune("", 0, 0), "paper_transfer");

inline constexpr std::array<const recipe*, 11> recipes = {
    &imagenet,         &imagenet_v1,
    &imagenet21k,      &imagenet_finetune,
    &cifar10_finetune, &cifar100_finetune,
    &flowers_finetune, &tf_flowers_finetune,
    &cars_finetune,    &paper_imagenet_finetune,
    &paper_transfer,
};

/// The recipe of that name. Throws `setting_error` that lists the names where there is none.
inline const recipe& recipe_by_name(std::string_view name) {
  std::string known;
  for (const recipe* one : recipes) {
    if (one->name == name) return *one;
    known += sentence(known.empty() ? "" : ", ", one->name);
  }
  throw setting_error(sentence("unknown recipe '", name, "'; known are ", known));
}

}  // namespace effnet
