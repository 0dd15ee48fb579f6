#pragma once

#include <benchmark/benchmark.h>

#include <fstream>
#include <string>

#include <effnet/core/config.hpp>
#include <effnet/cpu/dnnl.hpp>

/// What processor a figure is from.
inline std::string cpu_model() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

/// The most memory that the process has held so far.
inline double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}

/// Machine and versions, for the head of a benchmark's output.
inline void add_machine_context() {
  benchmark::AddCustomContext("cpu", cpu_model());
  benchmark::AddCustomContext("isa", effnet::cpu::onednn_isa());
  benchmark::AddCustomContext("onednn", effnet::cpu::onednn_version());
  benchmark::AddCustomContext("effnet", EFFNET_VERSION);
}
