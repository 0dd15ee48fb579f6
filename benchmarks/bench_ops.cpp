// Every distinct op of B0, V2-B0, V2-S and V2-M at their evaluation sizes, as the networks run it:
//   conv/v2_s/stage2.block1.fused/ours     the kernel that the library chooses (in the label)
//   conv/v2_s/stage2.block1.fused/onednn   the same on oneDNN's
//   scale/b0/stage1.block1.excite          an op without weights
// of_peak: the share of the multiply-adds that the processor can do; Winograd can exceed 1, since
// GFLOP/s count those of direct convolution. layers: how many of the network pose this problem.
// x_ours: oneDNN's time over ours, where ours ran before.

#include <benchmark/benchmark.h>
#include <omp.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/core/rng.hpp>
#include <effnet/cpu.hpp>
#include <effnet/resnet.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "../examples/short_spins.hpp"
#include "fma_peak.hpp"
#include "machine.hpp"
#include "network_ops.hpp"

namespace {
using namespace effnet;

constexpr padding_rule padding_of_rows = padding_rule::tf_same;

double fma_peak = 0;  // operations a second, on the threads of all rows

/// oneDNN's kernel for a problem: the peer beside every convolution.
cpu::direct_convolution make_direct(const conv_problem& problem, const epilogue& then) {
  return {problem, then};
}

std::vector<float> noise(std::size_t count, std::uint64_t stream, double scale = 1) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(scale * (2 * uniform(stream, i) - 1));
  return values;
}

/// Runs `body` once to warm up, then as often as Google Benchmark asks; seconds of one run.
template <class Body>
double time_of(benchmark::State& state, const Body& body) {
  body();
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) body();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return took.count() / static_cast<double>(state.iterations());
}

template <class Op>
double run_conv(benchmark::State& state, const network_conv& at, const Op& op) {
  const conv_problem& p = at.problem;
  const double fan = static_cast<double>(p.weights()) / p.out;
  const std::vector<float> weights = noise(p.weights(), 1, std::sqrt(3 / fan));
  const std::vector<float> bias = noise(static_cast<std::size_t>(p.out), 2);
  const std::vector<float> src = noise(p.src.elements(), 3);
  std::vector<float> dst(p.dst().elements());
  const cpu::packed_weights packed = op.pack(weights.data(), bias.data());
  const aligned_buffer scratch(op.scratch_bytes());
  const double seconds =
      time_of(state, [&] { op.forward(packed, src.data(), dst.data(), scratch.data()); });
  const double operations = 2 * static_cast<double>(p.macs());
  state.counters["GFLOP/s"] = 1e-9 * operations / seconds;
  state.counters["of_peak"] = operations / seconds / fma_peak;
  state.counters["layers"] = at.layers;
  state.SetLabel(std::string(op.implementation()));
  return seconds;
}

void run_op(benchmark::State& state, const network_op& at, const cpu_backend& on) {
  const max_pool_problem pooling{.src = at.src, .kernel = 3, .stride = 2, .pad = {1, 1, 1, 1}};
  const shape4 pooled{at.src.n, 1, 1, at.src.c};
  const shape4 to = at.what == network_op::max_pool      ? pooling.dst()
                    : at.what == network_op::global_pool ? pooled
                                                         : at.src;
  const std::vector<float> first = noise(at.src.elements(), 1), gate = noise(pooled.elements(), 2);
  std::vector<float> second(to.elements());
  const const_tensor_view src{first.data(), at.src};
  const tensor_view dst{second.data(), to};
  const auto run = [&] {
    switch (at.what) {
      case network_op::activation:
        return on.activation_forward(activation::silu, src, dst);
      case network_op::copy:
        return on.activation_forward(activation::identity, src, dst);
      case network_op::add:
        return on.add_forward(src, dst, dst);
      case network_op::scale_channels:
        return on.scale_channels_forward(src, {gate.data(), pooled}, dst);
      case network_op::global_pool:
        return on.global_pool_forward(src, dst);
      case network_op::max_pool:
        return on.max_pool_forward(pooling, src, dst);
    }
  };
  const double seconds = time_of(state, run);
  const std::size_t floats = src.shape.elements() + to.elements() +
                             (at.what == network_op::add              ? to.elements()
                              : at.what == network_op::scale_channels ? pooled.elements()
                                                                      : 0);
  state.counters["GB/s"] = 1e-9 * sizeof(float) * static_cast<double>(floats) / seconds;
}

/// Without UseRealTime(), which would add to the name: the main thread works as long as the others.
template <class Run>
void add_row(const std::string& name, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond);
}

void add_network(const std::string& network, const network_spec& spec, int batch,
                 const cpu_backend& on) {
  for (const network_conv& at : distinct_convs(spec, spec.eval_size, batch, padding_of_rows)) {
    const std::string name = "conv/" + network + "/" + at.layer;
    const auto ours = std::make_shared<double>(0);  // seconds
    add_row(name + "/ours", [=](benchmark::State& state) {
      const auto scope = on.enter();
      *ours = run_conv(state, at, on.plan_conv(at.problem, at.then));
    });
    add_row(name + "/onednn", [=](benchmark::State& state) {
      const auto scope = on.enter();
      const double seconds = run_conv(state, at, make_direct(at.problem, at.then));
      if (*ours > 0) state.counters["x_ours"] = seconds / *ours;
    });
  }
}

void add_ops(const std::string& network, const network_spec& spec, int batch,
             const cpu_backend& on) {
  constexpr const char* kinds[] = {"activation", "copy", "add", "scale", "mean", "max_pool"};
  for (const network_op& at : distinct_ops(spec, spec.eval_size, batch))
    add_row(sentence(kinds[at.what], '/', network, '/', at.layer), [=](benchmark::State& state) {
      const auto scope = on.enter();
      run_op(state, at, on);
    });
}

/// Takes --NAME=N out of the arguments; false, with a sentence, where N is no number in range.
bool take_option(int& argc, char** argv, std::string_view name, int most, int& value) {
  int kept = 1;
  bool good = true;
  for (int i = 1; i < argc; ++i) {
    const std::string_view given = argv[i];
    if (!given.starts_with(name)) {
      argv[kept++] = argv[i];
      continue;
    }
    const char *from = given.data() + name.size(), *end = given.data() + given.size();
    const auto [stop, failure] = std::from_chars(from, end, value);
    if (failure != std::errc{} || stop != end || value < 1 || value > most) {
      std::fprintf(stderr, "bench_ops: %.*s takes a whole number from 1 to %d, but got '%s'\n",
                   static_cast<int>(name.size() - 1), name.data(), most, from);
      good = false;
    }
  }
  argc = kept;
  return good;
}
}  // namespace

int main(int argc, char** argv) {
  example::use_short_spins(argv);
  int batch = 1, threads = omp_get_max_threads();
  if (!take_option(argc, argv, "--batch=", 1024, batch) ||
      !take_option(argc, argv, "--threads=", cpu_backend::most_threads, threads))
    return 2;
  if (argc > 1 && std::strcmp(argv[1], "--help") == 0)
    std::puts(
        "bench_ops [--batch=N]    images (default: 1)\n"
        "          [--threads=N]  threads that compute (default: all)\n"
        "and the options of Google Benchmark:");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;

  const cpu_backend on(threads);
  const struct {
    const char* name;
    const network_spec& spec;
  } networks[] = {{"b0", b0}, {"v2_b0", v2_b0}, {"v2_s", v2_s}, {"v2_m", v2_m}};
  for (const auto& [name, spec] : networks) add_network(name, spec, batch, on);
  for (const auto& [name, spec] : networks) add_ops(name, spec, batch, on);
  add_ops("resnet50", resnet50, batch, on);  // max pooling

  fma_peak = measure_fma_peak(on.threads());
  add_machine_context();
  benchmark::AddCustomContext("batch", std::to_string(batch));
  benchmark::AddCustomContext("threads", std::to_string(on.threads()));
  benchmark::AddCustomContext("peak", sentence(1e-9 * fma_peak, " GFLOP/s"));
  benchmark::RunSpecifiedBenchmarks();
}
