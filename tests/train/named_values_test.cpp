#include <doctest/doctest.h>

#include <effnet/arch/models.hpp>
#include <effnet/train/run_presets.hpp>

namespace {
using namespace effnet;

const setting_value* find(const named_values& values, std::string_view name) {
  for (const auto& [key, value] : values)
    if (key == name) return &value;
  return nullptr;
}
}  // namespace

TEST_CASE("train: settings by name make the same settings again") {
  run_settings s = scratch_settings(v2_s, 200);
  s.class_weights = {1, 0.1f, 2};
  s.seed = 0xFFFF'FFFF'FFFF'FFFF;
  s.network.frozen_stages = 2;
  s.look.crop.sampling = crop_sampling::torchvision;
  const named_values values = values_of(s);
  const run_settings again = settings_from(values);
  CHECK(values_of(again) == values);
  CHECK(again.stages == s.stages);
  CHECK(again.class_weights == s.class_weights);
  CHECK(again.seed == s.seed);
  CHECK(again.network == s.network);
  CHECK(again.optimizer == s.optimizer);
  CHECK(again.look.crop.sampling == crop_sampling::torchvision);
}

TEST_CASE("train: values of settings are what a person would write") {
  run_settings s;
  s.stages = {{.size = 64, .mixup = 0.1f}};
  s.class_weights = {0.1f};
  const named_values values = values_of(s);
  CHECK(*find(values, "stages.0.mixup") == setting_value(0.1));
  CHECK(*find(values, "stages.0.size") == setting_value(std::int64_t{64}));
  CHECK(*find(values, "stages") == setting_value(std::int64_t{1}));
  CHECK(*find(values, "optimizer.kind") == setting_value(std::string("rmsprop")));
  CHECK(*find(values, "averaged") == setting_value(true));
  CHECK(text_of(*find(values, "class_weights.0.weight")) == "0.1");
  CHECK(text_of(*find(values, "averaged")) == "true");
  CHECK(text_of(*find(values, "label_smoothing")) == "0.1");
}

TEST_CASE("train: values that are given replace those of the base") {
  const run_settings s = settings_from({{"epochs", std::int64_t{3}},
                                        {"batch", 8.0},
                                        {"optimizer.kind", "sgd"},
                                        {"stages", std::int64_t{2}},
                                        {"stages.1.size", std::int64_t{96}}},
                                       {.base_rate = 0.5});
  CHECK(s.epochs == 3);
  CHECK(s.batch == 8);
  CHECK(s.base_rate == 0.5);
  CHECK(s.optimizer.kind == optimizer_kind::sgd);
  REQUIRE(s.stages.size() == 2);
  CHECK(s.stages[1].size == 96);
}

TEST_CASE("train: values of another kind and unknown names are refused by name") {
  const auto refused = [](const char* name, setting_value value, const char* why) {
    CHECK_THROWS_WITH_AS(settings_from({{name, std::move(value)}}), doctest::Contains(why),
                         setting_error);
  };
  refused("epoch", 3.0, "there is no setting 'epoch'");
  refused("epochs", true, "'epochs' is 'true', expected a number");
  refused("batch", 8.5, "expected a whole number");
  refused("accumulation", std::int64_t{1} << 40, "expected a smaller number");
  refused("averaged", 1.0, "expected true or false");
  refused("preset", 1.0, "expected a text");
  refused("decay", std::string("cosines"), "expected constant, exponential, cosine, linear");
  refused("stages", std::int64_t{1} << 40, "expected a length");
  CHECK_THROWS_WITH_AS(settings_from({{"epochs", 1.0}, {"epochs", 2.0}}),
                       doctest::Contains("'epochs' is given twice"), setting_error);
}

TEST_CASE("train: a run's optimizer is made of its settings") {
  const auto name = [](const optimizer_settings& s) {
    return with_optimizer(s, [](const auto& rule) -> std::string {
      using rule_type = std::remove_cvref_t<decltype(rule)>;
      CHECK(rule.weight_decay == 0.25);
      if constexpr (std::is_same_v<rule_type, sgd>) return rule.nesterov ? "nesterov" : "sgd";
      if constexpr (std::is_same_v<rule_type, adamw>) return "adamw";
      return "rmsprop";
    });
  };
  CHECK(name({.kind = optimizer_kind::sgd, .weight_decay = 0.25, .nesterov = true}) == "nesterov");
  CHECK(name({.kind = optimizer_kind::adamw, .weight_decay = 0.25}) == "adamw");
  CHECK(name({.weight_decay = 0.25}) == "rmsprop");
}
