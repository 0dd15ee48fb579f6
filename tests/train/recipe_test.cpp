#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <effnet/arch/models.hpp>
#include <effnet/train/recipe.hpp>

using namespace effnet;

TEST_CASE("train: the ImageNet recipe's steps, rates and average") {
  const std::int64_t images = imagenet.train_images;
  CHECK(imagenet.total_steps(images) == 107'336);
  const learning_rate rate = imagenet.rate(images);
  CHECK(rate.peak() == doctest::Approx(0.256).epsilon(1e-12));
  CHECK(rate.steps_per_epoch == doctest::Approx(306.676).epsilon(1e-6));
  CHECK(rate.at(5000) == doctest::Approx(0.21324).epsilon(2e-5));
  CHECK(imagenet.average().decay_at(89'990) == doctest::Approx(0.9999));
  CHECK(imagenet.progressive_stages == 4);
  CHECK_FALSE(imagenet.dropout.has_value());
}

TEST_CASE("train: V1's ImageNet recipe has half the batch and decays biases too") {
  CHECK(imagenet_v1.total_steps(imagenet_v1.train_images) == 218'949);
  CHECK(imagenet_v1.rate(imagenet_v1.train_images).peak() == doctest::Approx(0.128).epsilon(1e-12));
  CHECK(imagenet_v1.decayed == decay_set::all_but_batch_norm);
  CHECK(imagenet.decayed == decay_set::kernels);
}

TEST_CASE("train: the ImageNet-21k recipe is a cosine without regularization") {
  const learning_rate rate = imagenet21k.rate(imagenet21k.train_images);
  CHECK(rate.peak() == doctest::Approx(0.128).epsilon(1e-12));
  CHECK(rate.total_steps == 186'332);  // 60 * 12,720,275 / 4096 = 186,332.15
  CHECK(rate.decay == decay_rule::cosine);
  CHECK(rate.warmup_steps() == 3105);
  CHECK(imagenet21k.label_smoothing == 0);
  CHECK(imagenet21k.survival == 1);
  CHECK(imagenet21k.augment == augmentation::none);
  CHECK(imagenet21k.weight_decay == 1e-5);
}

TEST_CASE("train: the fine-tuning recipes differ by their data only") {
  for (const recipe* one : {&imagenet_finetune, &cifar10_finetune, &cifar100_finetune,
                            &flowers_finetune, &tf_flowers_finetune, &cars_finetune}) {
    CAPTURE(one->name);
    const learning_rate rate = one->rate(one->train_images);
    CHECK(rate.peak() == doctest::Approx(0.001).epsilon(1e-12));
    CHECK(rate.decay == decay_rule::constant);
    CHECK(rate.at(100'000) == rate.peak());
    CHECK(one->average().decay == 0.9996);
    CHECK(one->weight_decay == 1e-5);
    CHECK(one->label_smoothing == 0.1f);
    CHECK(one->dropout == 0.0f);
    CHECK(one->survival == 0.8f);
    CHECK(one->progressive_stages == 0);
  }
  CHECK(flowers_finetune.total_steps(1'020) == 10'000);
  CHECK(imagenet_finetune.total_steps(1'256'144) == 36'801);
}

TEST_CASE("train: the paper's transfer is a cosine without weight decay") {
  CHECK(paper_transfer.total_steps(50'000) == 10'000);
  CHECK(paper_transfer.rate(50'000).decay == decay_rule::cosine);
  CHECK(paper_transfer.rate(50'000).peak() == doctest::Approx(0.001).epsilon(1e-12));
  CHECK(paper_transfer.weight_decay == 0);
  CHECK(paper_imagenet_finetune.epochs == 15);
}

TEST_CASE("train: sizes of training and fine-tuning follow the evaluation size") {
  const std::vector<const network_spec*> v1 = {&b0, &b1, &b2, &b3, &b4, &b5, &b6, &b7, &b8, &l2};
  const std::vector<int> expected = {176, 192, 208, 240, 304, 352, 416, 480, 528, 640};
  for (std::size_t i = 0; i < v1.size(); ++i) {
    CAPTURE(i);
    CHECK(v1_train_size(v1[i]->eval_size) == expected[i]);
  }
  CHECK(finetune_size(b2.eval_size) == 256);
  CHECK(finetune_size(b3.eval_size) == 288);
  CHECK(finetune_size(v2_s.eval_size) == 384);
  CHECK(imagenet_finetune.image_size(b2) == 256);
  CHECK(imagenet.image_size(v2_s) == 300);
  CHECK(imagenet21k.image_size(v2_l) == 224);
}

TEST_CASE("train: recipes are found by name and make sense") {
  for (const recipe* one : recipes) {
    CHECK(&recipe_by_name(one->name) == one);
    CHECK_NOTHROW(one->rate(50'000).check());
    CHECK_NOTHROW(one->average().check());
  }
  std::string complaint;
  try {
    recipe_by_name("imagenette");
  } catch (const setting_error& e) {
    complaint = e.what();
  }
  CHECK(complaint.starts_with(
      "unknown recipe 'imagenette'; known are imagenet, imagenet_v1, imagenet21k, "));
}
