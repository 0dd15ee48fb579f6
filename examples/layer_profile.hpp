#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "network_profile.hpp"
#include "text_table.hpp"

namespace example {

namespace profile_detail {

/// "3.2 depthwise": stage, block and role, counted from 1; "stem".
inline std::string short_name(const profile_row& row) {
  if (row.layer.stage < 0) return row.role;
  return effnet::sentence(row.layer.stage + 1, '.', row.layer.block + 1, ' ', row.role);
}

/// Extents of one image; the batch stands above the table.
inline std::string extents(const effnet::shape4& s) {
  return effnet::sentence(s.h, 'x', s.w, 'x', s.c);
}

inline double gflops(std::size_t macs, double seconds) {
  return seconds > 0 ? 2e-9 * static_cast<double>(macs) / seconds : 0;
}
inline std::string gflops_text(std::size_t macs, double seconds) {
  return macs > 0 ? fixed(gflops(macs, seconds), 1) : "";
}
inline std::string milliseconds(double seconds) {
  return fixed(1e3 * seconds, 3);
}
inline std::string percent(double part, double whole) {
  return fixed(whole > 0 ? 100 * part / whole : 0, 1);
}

/// A bar as long as a part is large beside the largest.
inline std::string bar(double part, double largest) {
  constexpr double width = 6;  // lines of at most 120 characters
  return std::string(
      static_cast<std::size_t>(largest > 0 ? std::lround(width * part / largest) : 0), '#');
}

/// Sum of the ops of one kind: those of a role, with what follows it; squeeze-excite's together.
struct kind_total {
  std::string kind;
  std::size_t ops = 0, macs = 0;
  double seconds = 0;
};
inline std::vector<kind_total> totals_by_kind(const network_profile& profile) {
  using enum effnet::layer_role;
  std::vector<kind_total> totals;
  for (const profile_row& row : profile.rows) {
    const bool gate = row.layer.role == squeeze || row.layer.role == excite;
    const std::string kind = gate ? "squeeze-excite" : row.role;
    auto at = std::ranges::find(totals, kind, &kind_total::kind);
    if (at == totals.end()) at = totals.insert(at, {.kind = kind});
    ++at->ops, at->macs += row.macs, at->seconds += row.seconds;
  }
  std::ranges::stable_sort(totals, std::ranges::greater{}, &kind_total::seconds);
  return totals;
}

}  // namespace profile_detail

/// A profile as text: a line an op in the order of the network, the sum, and sums by kind.
inline void print_profile(const network_profile& profile) {
  using namespace profile_detail;
  using enum text_table::side;
  const double total = profile.op_seconds();
  double largest = 0;
  std::string reasons;  // a line for each kernel that has one
  for (const profile_row& row : profile.rows) {
    largest = std::max(largest, row.seconds);
    const std::string line = row.kernel + ": " + row.reason + '\n';
    if (!row.reason.empty() && reasons.find(line) == reasons.npos) reasons += line;
  }
  text_table table;
  table.column("layer", left), table.column("op", left), table.column("src");
  table.column("dst"), table.column("kernel", left);
  for (const char* title : {"ms", "GFLOP/s", "%"}) table.column(title);
  table.column("", left);
  for (const profile_row& row : profile.rows)
    table.row({short_name(row), row.op, extents(row.src), extents(row.dst), row.kernel,
               milliseconds(row.seconds), gflops_text(row.macs, row.seconds),
               percent(row.seconds, total), bar(row.seconds, largest)});
  table.row({"total", effnet::sentence(profile.rows.size(), " ops"), "", "", "",
             milliseconds(total), gflops_text(profile.macs(), total), percent(total, total)});

  text_table kinds;
  kinds.column("kind", left);
  for (const char* title : {"ops", "ms", "GFLOP/s", "%"}) kinds.column(title);
  kinds.column("", left);
  const std::vector<kind_total> totals = totals_by_kind(profile);
  for (const kind_total& kind : totals)
    kinds.row({kind.kind, std::to_string(kind.ops), milliseconds(kind.seconds),
               gflops_text(kind.macs, kind.seconds), percent(kind.seconds, total),
               bar(kind.seconds, totals.front().seconds)});

  std::printf(
      "%s at %d x %d pixels, batch %d, on %s with %d thread%s: median of %zu pass%s\n\n%s\n%s\n",
      profile.spec.name.text, profile.images.h, profile.images.w, profile.images.n,
      profile.backend.c_str(), profile.threads, profile.threads == 1 ? "" : "s", profile.passes,
      profile.passes == 1 ? "" : "es", table.text().c_str(), kinds.text().c_str());
  std::printf(
      "a whole pass: %s ms, %s ms of it between the ops; weights and images are random\n"
      "layer: stage.block role; GFLOP/s: 2 x multiply-adds / time, of direct convolution whichever "
      "kernel ran\n",
      milliseconds(profile.pass_seconds).c_str(), milliseconds(profile.between_seconds).c_str());
  if (profile.images.n > 1)
    std::printf(
        "the batch as one pass; sessions have threads take its images through one by one\n");
  if (!reasons.empty()) std::printf("\nwhy these kernels\n%s", reasons.c_str());
}

/// The same as JSON; shapes are [n, h, w, channels], shares parts of 1.
inline nlohmann::ordered_json json_of(const network_profile& profile) {
  using profile_detail::gflops;
  const double total = profile.op_seconds();
  nlohmann::ordered_json json = {{"model", profile.spec.name.text},
                                 {"size", profile.images.h},
                                 {"batch", profile.images.n},
                                 {"backend", profile.backend},
                                 {"threads", profile.threads},
                                 {"passes", profile.passes},
                                 {"macs", profile.macs()},
                                 {"ms", 1e3 * total},
                                 {"pass_ms", 1e3 * profile.pass_seconds},
                                 {"between_ms", 1e3 * profile.between_seconds},
                                 {"gflops", gflops(profile.macs(), total)},
                                 {"ops", nlohmann::ordered_json::array()}};
  for (const profile_row& row : profile.rows) {
    nlohmann::ordered_json op;
    if (row.layer.stage >= 0) op["stage"] = row.layer.stage + 1, op["block"] = row.layer.block + 1;
    op["role"] = row.role, op["op"] = row.op;
    const auto extents = [](const effnet::shape4& s) {
      return nlohmann::ordered_json{s.n, s.h, s.w, s.c};
    };
    op["src"] = extents(row.src), op["dst"] = extents(row.dst);
    if (!row.kernel.empty()) op["kernel"] = row.kernel;
    if (!row.reason.empty()) op["reason"] = row.reason;
    op["ms"] = 1e3 * row.seconds;
    if (row.macs > 0) op["macs"] = row.macs, op["gflops"] = gflops(row.macs, row.seconds);
    op["share"] = total > 0 ? row.seconds / total : 0;
    json["ops"].push_back(std::move(op));
  }
  return json;
}

}  // namespace example
