#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/backend/problems.hpp>
#include <effnet/nn/layer_text.hpp>

#include "text_table.hpp"

namespace example {

/// What a GPU can do at most, by its maker's data sheet.
struct accelerator {
  std::string_view name, text;
  double fp32, tf32, bf16;  ///< floating point operations a second, without sparsity
  double bytes;             ///< of memory a second
};

/// NVIDIA A100 80GB SXM (data sheet of 2021), H100 SXM (2023), H200 SXM (2024).
inline constexpr std::array<accelerator, 3> accelerators{{
    {"a100", "NVIDIA A100 80GB SXM", 19.5e12, 156e12, 312e12, 2.039e12},
    {"h100", "NVIDIA H100 SXM", 66.9e12, 494.7e12, 989.4e12, 3.352e12},
    {"h200", "NVIDIA H200 SXM", 66.9e12, 494.7e12, 989.4e12, 4.8e12},
}};

/// What a layer's forward pass has to do at least: batch norm folded, activation in place.
struct roofline_row {
  effnet::layer what;
  effnet::shape4 src, dst;
  double operations, numbers;  ///< 2 x multiply-adds; read and written once each
};

/// Numbers in which a pass may be computed, and what it takes then.
enum class number_kind { fp32, tf32, bf16 };

struct roofline {
  const accelerator& on;
  std::string network;
  effnet::shape4 images;
  std::vector<roofline_row> rows;

  /// A kernel takes no less, however little it does.
  static constexpr double least_seconds = 2e-6;

  double arithmetic_seconds(const roofline_row& row, number_kind kind) const {
    // Depthwise products have no matrices that tensor cores could multiply.
    const double rate = kind == number_kind::fp32 || row.what.groups > 1 ? on.fp32
                        : kind == number_kind::tf32                      ? on.tf32
                                                                         : on.bf16;
    return row.operations / rate;
  }
  double memory_seconds(const roofline_row& row, number_kind kind) const {
    return row.numbers * (kind == number_kind::bf16 ? 2 : 4) / on.bytes;
  }
  double seconds(const roofline_row& row, number_kind kind) const {
    return std::max({arithmetic_seconds(row, kind), memory_seconds(row, kind), least_seconds});
  }
  const char* bound(const roofline_row& row, number_kind kind) const {
    const double time = seconds(row, kind);
    if (time == least_seconds) return "start";
    return time == memory_seconds(row, kind) ? "memory" : "arithmetic";
  }
  double total_seconds(number_kind kind) const {
    double sum = 0;
    for (const roofline_row& row : rows) sum += seconds(row, kind);
    return sum;
  }
};

inline roofline roofline_of(const effnet::network_spec& spec, const effnet::shape4& images,
                            const accelerator& on) {
  roofline made{.on = on, .network = spec.name.text, .images = images, .rows = {}};
  effnet::for_each_layer(spec, images.h, images.w, [&](const effnet::layer& l) {
    const effnet::shape4 src{images.n, l.src_h, l.src_w, l.in},
        dst{images.n, l.dst_h, l.dst_w, l.out};
    const double pixels = static_cast<double>(dst.elements()) / l.out;
    made.rows.push_back({.what = l,
                         .src = src,
                         .dst = dst,
                         .operations = 2 * pixels * static_cast<double>(l.weights()),
                         .numbers = static_cast<double>(src.elements()) +
                                    static_cast<double>(dst.elements()) +
                                    static_cast<double>(l.weights())});
  });
  return made;
}

inline std::string short_name(const effnet::layer& l) {
  if (l.stage < 0) return std::string(effnet::role_text(l.role));
  return effnet::sentence(l.stage + 1, '.', l.block + 1, ' ', effnet::role_text(l.role));
}

inline void print_roofline(const roofline& made) {
  using enum text_table::side;
  using enum number_kind;
  const auto microseconds = [](double seconds) { return fixed(1e6 * seconds, 1); };
  text_table table;
  table.column("layer", left), table.column("kernel");
  for (const char* title :
       {"src", "dst", "MFLOP", "MB", "FLOP/byte", "fp32 us", "TF32 us", "bf16 us"})
    table.column(title);
  table.column("bf16 waits for", left);
  double operations = 0, numbers = 0;
  for (const roofline_row& row : made.rows) {
    const auto extents = [](const effnet::shape4& s) {
      return effnet::sentence(s.h, 'x', s.w, 'x', s.c);
    };
    operations += row.operations, numbers += row.numbers;
    table.row({short_name(row.what),
               effnet::sentence(row.what.kernel, 'x', row.what.kernel, '/', row.what.stride),
               extents(row.src), extents(row.dst), fixed(row.operations / 1e6, 1),
               fixed(4 * row.numbers / 1e6, 2), fixed(row.operations / (4 * row.numbers), 1),
               microseconds(made.seconds(row, fp32)), microseconds(made.seconds(row, tf32)),
               microseconds(made.seconds(row, bf16)), made.bound(row, bf16)});
  }
  table.row({"total", "", "", "", fixed(operations / 1e6, 1), fixed(4 * numbers / 1e6, 2),
             fixed(operations / (4 * numbers), 1), microseconds(made.total_seconds(fp32)),
             microseconds(made.total_seconds(tf32)), microseconds(made.total_seconds(bf16)), ""});
  std::printf(
      "%s at %d x %d pixels, batch %d: the least that a forward pass takes on one %.*s\n\n%s\n",
      made.network.c_str(), made.images.h, made.images.w, made.images.n,
      static_cast<int>(made.on.text.size()), made.on.text.data(), table.text().c_str());
  std::printf(
      "an estimate, measured nowhere: the longest of arithmetic at the data sheet's rate "
      "(depthwise "
      "always fp32),\nmemory traffic of source, result and weights once each (%.2f TB/s), and %.0f "
      "us for the start of a kernel;\nMB and FLOP/byte are those of fp32 and TF32, bf16 moves "
      "half\n",
      made.on.bytes / 1e12, 1e6 * roofline::least_seconds);
}

inline nlohmann::ordered_json json_of(const roofline& made) {
  using enum number_kind;
  nlohmann::ordered_json json = {{"model", made.network},
                                 {"size", made.images.h},
                                 {"batch", made.images.n},
                                 {"device", made.on.text},
                                 {"fp32_us", 1e6 * made.total_seconds(fp32)},
                                 {"tf32_us", 1e6 * made.total_seconds(tf32)},
                                 {"bf16_us", 1e6 * made.total_seconds(bf16)},
                                 {"layers", nlohmann::ordered_json::array()}};
  for (const roofline_row& row : made.rows) {
    nlohmann::ordered_json layer;
    if (row.what.stage >= 0)
      layer["stage"] = row.what.stage + 1, layer["block"] = row.what.block + 1;
    layer["role"] = effnet::role_text(row.what.role);
    const auto extents = [](const effnet::shape4& s) {
      return nlohmann::ordered_json{s.n, s.h, s.w, s.c};
    };
    layer["src"] = extents(row.src), layer["dst"] = extents(row.dst);
    layer["flop"] = row.operations, layer["fp32_bytes"] = 4 * row.numbers;
    layer["fp32_us"] = 1e6 * made.seconds(row, fp32);
    layer["tf32_us"] = 1e6 * made.seconds(row, tf32);
    layer["bf16_us"] = 1e6 * made.seconds(row, bf16);
    layer["bf16_bound"] = made.bound(row, bf16);
    json["layers"].push_back(std::move(layer));
  }
  return json;
}

}  // namespace example
