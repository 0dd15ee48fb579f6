// Progressive learning in 40 lines: from pictures that it draws itself to weights and accuracy.

#include <algorithm>
#include <cstdio>
#include <vector>

#include <effnet/cpu_training.hpp>
#include <effnet/data/validation_sample.hpp>
#include <effnet/nn/network.hpp>
#include <effnet/train.hpp>
#include <effnet/weights.hpp>

using namespace effnet;
constexpr network_spec small{
    .name = "small",
    .stem = 16,
    .stages = {fused_mbconv{.repeats = 1, .expand = 1, .in = 16, .out = 16},
               fused_mbconv{.repeats = 2, .stride = 2, .expand = 4, .in = 16, .out = 32},
               mbconv{.repeats = 3, .stride = 2, .expand = 4, .in = 32, .out = 64, .se = 0.25f}},
    .head = 256,
    .classes = 10};

int main() {
  const any_data_set data = open_data_set("shapes:4000x64");  // or class folders, tars, a CSV list
  const any_data_set val = open_data_set("shapes:500x64", set_part::test);

  run_settings settings = scratch_settings(small, 64);  // a value; here with stages of its own
  settings.stages = interpolated_stages({.size = 40, .dropout = 0.1f}, {.size = 64}, 4);
  settings.batch = 32, settings.epochs = 10, settings.base_rate = 0.03;
  const training_run run(settings, static_cast<std::int64_t>(data.count()));

  weights start = initial_weights(small);
  start.rule.input.size = start.rule.input.resize = 64;
  start.labels = data.classes();
  trainer trainer(start, adamw{}, run.options(), cpu_training_backend(), settings.network);
  const fit_options options{.loader = {.threads = 1}};
  fit(trainer, data, run, options, [](const training_progress& now) {
    if (now.step % 25 == 0) std::printf("%5.1f %%  loss %.3f\n", 100 * now.work_done, now.loss);
    return true;  // false: stop, save_checkpoint, and resume another day, bit by bit
  });
  write_weights("shapes.safetensors", trainer.averaged(), naming::timm);

  const dynamic_network<cpu_backend> network(trainer.averaged());
  session<cpu_backend> session = network.make_session();
  std::vector<float> pixels(64 * 64 * 3);
  int right = 0;
  for (std::size_t i = 0; i < val.count(); ++i) {
    make_validation_sample(val, i, network.rule().input, pixels.data());
    const float* logits = session.run({pixels.data(), {1, 64, 64, 3}}).logits.data;
    right += std::max_element(logits, logits + small.classes) - logits == val.label(i);
  }
  std::printf("top-1: %.1f %%\n", 100.0 * right / static_cast<double>(val.count()));
}
