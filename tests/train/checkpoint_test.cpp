#include <doctest/doctest.h>

#include <cstring>

#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/train/checkpoint_rotation.hpp>
#include <effnet/train/resume.hpp>

#include "../oracle_fill.hpp"
#include "../temporary_folder.hpp"
#include "toy_network.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

const checkpoint_notes notes{.settings = {{"epochs", "3"}, {"batch", "2"}, {"name", "a \"b\"\n"}},
                             .kernels = {{"isa", "avx2"}, {"threads", "2"}},
                             .progress = {{"sample", "17"}}};

training_options options_with(double decay = 1) {
  return {.rate = {.base = 0.1, .total_steps = 20, .decay = decay_rule::cosine, .warmup_epochs = 2},
          .clip = 5,
          .layer_decay = decay,
          .seed = 11};
}

/// Everything that a trainer carries from step to step, as bytes.
template <class Trainer>
std::string bytes_in(Trainer& t) {
  std::string bytes = little_endian(t.steps_done());
  detail::for_each_part(t, [&](const std::string&, const tensor_spec&, std::span<float> floats) {
    bytes.append(reinterpret_cast<const char*>(floats.data()), floats.size_bytes());
  });
  return bytes;
}

template <class Trainer>
void run_toy(Trainer& t, int steps) {
  for (int i = 0; i < steps; ++i) {
    const toy_images images(2, 1 + static_cast<float>(t.steps_done()) / 8);
    t.step({.images = images.view(), .targets = images.targets.data()});
  }
}

/// n steps are k steps, a file, and n - k steps in a trainer that began elsewhere.
template <class Make, class Run>
void check_resumes(const Make& make, const Run& run) {
  const temporary_folder folder;
  const std::string path = folder / "last.ckpt";
  auto whole = make(), first = make(), second = make();
  run(whole, 6);
  run(first, 2);
  save_checkpoint(path, first, notes);
  run(second, 1);
  CHECK(resume(second, read_checkpoint(path), notes).empty());
  CHECK(bytes_in(second) == bytes_in(first));
  run(second, 4);
  CHECK(bytes_in(second) == bytes_in(whole));
}

template <class Rule>
void check_rule(const Rule& rule) {
  check_resumes(
      [&] {
        return trainer{toy_network(), rule, options_with(0.5)};
      },
      [](auto& t, int steps) { run_toy(t, steps); });
}
}  // namespace

TEST_CASE("train: a run that was saved and taken up again has the same bits") {
  check_rule(sgd{.nesterov = true, .weight_decay = 1e-3});
  check_rule(rmsprop{.weight_decay = 1e-3});
  check_rule(adamw{});
}

TEST_CASE("train: a real network that was saved and taken up again has the same bits") {
  const weights start = initial_weights(toy_table(), 5);
  const auto run = [](auto& t, int steps) {
    for (int i = 0; i < steps; ++i) {
      const int side = t.steps_done() < 3 ? 32 : 40;  // across a stage's end
      const shape4 shape{3, side, side, 3};
      const std::vector<float> images = oracle_images(shape);
      const std::vector<float> targets = {1, 0, 0, 0, 1, 0, 0, 0.5f, 0.5f};
      t.step({.images = {images.data(), shape},
              .targets = targets.data(),
              .dropout = 0.2f,
              .stochastic_depth = 0.5f});
    }
  };
  for (int frozen : {0, 2})
    check_resumes(
        [&] {
          return trainer{start, rmsprop{.weight_decay = 1e-5}, options_with(),
                         cpu_training_backend{}, training_settings{.frozen_stages = frozen}};
        },
        run);
}

TEST_CASE("train: a checkpoint says what was written into it") {
  const temporary_folder folder;
  trainer t{toy_network(), rmsprop{}, options_with()};
  run_toy(t, 3);
  save_checkpoint(folder / "a", t, notes);
  save_checkpoint(folder / "b", t, notes);
  CHECK(file_bytes(folder / "a") == file_bytes(folder / "b"));
  const checkpoint read = read_checkpoint(folder / "a");
  CHECK(read.steps_done == 3);
  CHECK(read.seed == 11);
  CHECK(read.optimizer == "rmsprop");
  CHECK(read.notes.settings == notes.settings);
  CHECK(read.notes.kernels == notes.kernels);
  CHECK(read.notes.progress == notes.progress);
  CHECK(read.file.tensors[0].first == "values/conv_stem.weight");
}

TEST_CASE("train: a checkpoint of other settings is refused, and the first of them named") {
  const temporary_folder folder;
  const std::string path = folder / "last.ckpt";
  trainer t{toy_network(), rmsprop{}, options_with()};
  save_checkpoint(path, t, notes);
  const checkpoint saved = read_checkpoint(path);
  const std::string before = bytes_in(t);
  const auto refused = [&](const named_texts& settings, const char* why) {
    CHECK_THROWS_WITH_AS(resume(t, saved, {.settings = settings}), doctest::Contains(why),
                         setting_error);
  };
  refused({{"epochs", "3"}, {"batch", "4"}, {"name", "x"}},
          "the setting 'batch' was '2' and is now '4'");
  refused({{"batch", "2"}, {"epochs", "3"}}, "the setting 'name' was 'a \"b\"?' and is now absent");
  refused({{"epochs", "3"}, {"size", "4"}}, "the setting 'size' was absent and is now '4'");
  trainer other{toy_network(), adamw{}, options_with()};
  CHECK_THROWS_WITH_AS(resume(other, saved, notes),
                       doctest::Contains("the optimizer was 'rmsprop' and is now 'adamw'"),
                       setting_error);
  training_options seeded = options_with();
  seeded.seed = 12;
  trainer reseeded{toy_network(), rmsprop{}, seeded};
  CHECK_THROWS_WITH_AS(resume(reseeded, saved, notes),
                       doctest::Contains("the seed was 11 and is now 12"), setting_error);
  CHECK(bytes_in(t) == before);
}

TEST_CASE("train: a checkpoint of another network is refused, and its first tensor named") {
  const temporary_folder folder;
  const std::string path = folder / "last.ckpt";
  trainer t{toy_network(), rmsprop{}, options_with()};
  save_checkpoint(path, t);
  const checkpoint saved = read_checkpoint(path);
  const auto refused = [&](auto other, const char* why) {
    const std::string before = bytes_in(other);
    CHECK_THROWS_WITH_AS(resume(other, saved), doctest::Contains(why), file_error);
    CHECK(bytes_in(other) == before);
  };
  network_spec wider = toy_table();
  wider.head = 9;
  refused(trainer{toy_network({}, false, wider), rmsprop{}, options_with()},
          "tensor 'values/conv_head.weight' of checkpoint");
  network_spec deeper = toy_table();
  deeper.stages[1].repeats = 3;
  refused(trainer{toy_network({}, false, deeper), rmsprop{}, options_with()}, "is of another");
  training_options plain = options_with();
  plain.averaged = false;
  refused(trainer{toy_network(), rmsprop{}, plain}, "has tensor 'average/conv_stem.weight' where");
  refused(trainer{toy_network({}, true), rmsprop{}, options_with()}, "is of another network");
}

TEST_CASE("train: other kernels are a warning that names them") {
  const temporary_folder folder;
  trainer t{toy_network(), rmsprop{}, options_with()};
  save_checkpoint(folder / "a", t, notes);
  checkpoint_notes now = notes;
  now.kernels[0].second = "avx512";
  const auto warnings = resume(t, read_checkpoint(folder / "a"), now);
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("made with isa 'avx2', this run has 'avx512'") != std::string::npos);
}

TEST_CASE("train: a damaged checkpoint is refused wherever the damage is") {
  const temporary_folder folder;
  trainer t{toy_network(), sgd{}, options_with()};
  save_checkpoint(folder / "good", t, notes);
  const std::string good = file_bytes(folder / "good");
  REQUIRE(good.size() > 1000);
  for (std::size_t at = 0; at < good.size(); at += at < 3000 ? 1 : 97) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    write_bytes(folder / "bad", bad);
    CAPTURE(at);
    // A space that became a '$' after the header's end, or a key of another entry, is noticed too.
    CHECK_THROWS_AS(read_checkpoint(folder / "bad"), file_error);
  }
  for (std::size_t length = 0; length < good.size(); length += 61) {
    write_bytes(folder / "bad", std::string_view(good).substr(0, length));
    CHECK_THROWS_AS(read_checkpoint(folder / "bad"), file_error);
  }
  CHECK_THROWS_AS(read_checkpoint(folder / "none"), file_error);
}

TEST_CASE("train: entries of a checkpoint that make no sense are refused") {
  const temporary_folder folder;
  trainer t{toy_network(), sgd{}, options_with()};
  save_checkpoint(folder / "good", t, notes);
  const auto refused = [&](const char* key, const char* value, const char* why) {
    state_dict dict = read_safetensors(folder / "good");
    if (value == nullptr)
      dict.metadata.erase(sentence("effnet.checkpoint.", key));
    else
      dict.metadata[sentence("effnet.checkpoint.", key)] = value;
    CHECK_THROWS_WITH_AS(checkpoint_from(std::move(dict)), doctest::Contains(why), file_error);
  };
  refused("format", "2", "a checkpoint of format '2'");
  refused("steps", "-1", "expected a number from 0");
  refused("steps", "99999999999999999999", "expected a number from 0");
  refused("seed", "", "expected a number from 0");
  refused("settings", "{", "malformed");
  refused("kernels", "[]", "malformed");
  refused("progress", nullptr, "lacks 'effnet.checkpoint.progress'");
}

TEST_CASE("train: what a killed writer left hurts nobody, and is removed") {
  const temporary_folder folder;
  const std::string path = folder / "last.ckpt";
  trainer t{toy_network(), sgd{}, options_with()};
  run_toy(t, 1);
  save_checkpoint(path, t);
  const std::string good = file_bytes(path);
  // A process that is no more; the largest number that Linux gives is 2^22.
  write_bytes(folder / "last.ckpt.4194305-0.partial", std::string_view(good).substr(0, 500));
  write_bytes(folder / sentence("last.ckpt.", ::getpid(), "-99.partial"), "ours");
  write_bytes(folder / "best.ckpt.4194305-0.partial", "of another file");
  CHECK(read_checkpoint(path).steps_done == 1);
  remove_leftovers(path);
  CHECK(folder.files() == 3);
  run_toy(t, 1);
  save_checkpoint(path, t);
  CHECK(read_checkpoint(path).steps_done == 2);
}

TEST_CASE("train: the checkpoint before the last is kept") {
  CHECK(previous_checkpoint("out/last.ckpt") == "out/last.previous.ckpt");
  CHECK(previous_checkpoint("o.ut/last") == "o.ut/last.previous");
  const temporary_folder folder;
  const std::string path = folder / "last.ckpt";
  trainer t{toy_network(), sgd{}, options_with()};
  keep_previous(path);
  CHECK(folder.files() == 0);
  for (int i = 0; i < 3; ++i) {
    keep_previous(path);
    save_checkpoint(path, t);
    run_toy(t, 1);
  }
  CHECK(read_checkpoint(path).steps_done == 2);
  CHECK(read_checkpoint(previous_checkpoint(path)).steps_done == 1);
  keep_previous(path);
  keep_previous(path);  // both are the same file now
  CHECK(read_checkpoint(path).steps_done == 2);
  CHECK(read_checkpoint(previous_checkpoint(path)).steps_done == 2);
  CHECK(folder.files() == 2);
}
