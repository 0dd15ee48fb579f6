#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/backend/profiled_backend.hpp>
#include <effnet/nn/layer_text.hpp>
#include <effnet/nn/network.hpp>

namespace example {

/// An op of a forward pass, with the layer that it belongs to.
struct profile_row {
  effnet::layer layer;  ///< the first, where a backend runs several as one op
  std::string role;     ///< "depthwise", "expand+depthwise"
  std::string op;       ///< "5x5 s2, silu": what it computes
  effnet::shape4 src, dst;
  std::string kernel, reason;  ///< empty where the backend does not say
  double seconds = 0;          ///< median over the passes
  std::size_t macs = 0;
};

/// Where the time of a network's forward passes goes.
struct network_profile {
  effnet::network_spec spec;
  effnet::shape4 images;
  std::string backend;
  int threads = 1;
  std::size_t passes = 0;
  std::vector<profile_row> rows;  ///< in the order in which they run
  double pass_seconds = 0;        ///< median of whole passes
  double between_seconds = 0;     ///< median of what a pass spends outside its ops

  double op_seconds() const {
    double sum = 0;
    for (const profile_row& row : rows) sum += row.seconds;
    return sum;
  }
  std::size_t macs() const {
    std::size_t sum = 0;
    for (const profile_row& row : rows) sum += row.macs;
    return sum;
  }
};

namespace profile_detail {

inline std::string text_of(effnet::activation act) {
  constexpr const char* names[] = {"copy", "silu", "relu", "relu6", "sigmoid"};
  return names[static_cast<std::size_t>(act)];
}

inline std::string text_of(const effnet::conv_problem& p) {
  std::string text = p.fully_connected() ? "linear" : effnet::sentence(p.kernel, 'x', p.kernel);
  if (p.stride > 1) text += effnet::sentence(" s", p.stride);
  return text;
}

/// Of layers that run as one op the last one's epilogue, for want of room.
inline std::string text_of(const effnet::op_plan& plan) {
  std::string text;
  for (const effnet::planned_conv& conv : plan.convs)
    text += (text.empty() ? "" : " + ") + text_of(conv.problem);
  const effnet::epilogue& then = plan.convs.back().then;
  if (then.before != effnet::activation::identity) text += ", " + text_of(then.before);
  if (then.add_dst) text += ", add";
  if (then.after != effnet::activation::identity) text += ", " + text_of(then.after);
  return text;
}

inline std::string text_of(const effnet::op_record& record) {
  if (record.op == "activation") return text_of(record.act);
  if (record.op == "scale_channels") return "scale";
  if (record.op == "global_pool") return "mean";
  if (record.op == "max_pool") return "max pool";
  return record.plan ? text_of(*record.plan) : std::string(record.op);
}

/// Means are taken for the layer after them, copies of a residual too; all else follows a layer.
inline bool leads(const effnet::op_record& record) {
  return record.op == "global_pool" ||
         (record.op == "activation" && record.act == effnet::activation::identity);
}

}  // namespace profile_detail

/// The records of a network's passes as rows, with the names of their layers.
inline std::vector<profile_row> rows_of(const effnet::network_spec& spec,
                                        const std::vector<effnet::op_record>& records) {
  std::vector<effnet::layer> layers;
  effnet::for_each_layer(spec, [&](const effnet::layer& l) { layers.push_back(l); });
  const auto planned = [&](std::size_t at, bool forward) {  // the nearest op with weights
    while (!records[at].plan) forward ? ++at : --at;
    return records[at].plan.get();
  };
  std::vector<profile_row> rows;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const effnet::op_record& record = records[i];
    const effnet::op_plan& plan = *planned(i, profile_detail::leads(record));
    profile_row row{.layer = layers.at(plan.first),
                    .role = {},
                    .op = profile_detail::text_of(record),
                    .src = record.src,
                    .dst = record.dst,
                    .kernel = {},
                    .reason = {},
                    .seconds = record.median_seconds(),
                    .macs = record.macs()};
    for (std::size_t k = 0; k < plan.convs.size(); ++k)
      row.role +=
          effnet::sentence(k > 0 ? "+" : "", effnet::role_text(layers.at(plan.first + k).role));
    if (record.plan) row.kernel = plan.implementation, row.reason = plan.reason;
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Times forward passes with random weights on random images [n, h, w, channels], op by op, after
/// one to warm up. `passes` 0: as many as a second has time for, from 5 to 100.
template <effnet::backend B>
network_profile profile_network(const effnet::network_spec& spec, effnet::convention_name family,
                                const effnet::shape4& images, const B& on, int passes = 0) {
  using clock = std::chrono::steady_clock;
  using profiled = effnet::profiled_backend<B>;
  const auto profile = std::make_shared<effnet::op_profile>();
  auto session =
      effnet::dynamic_network<profiled>(effnet::initial_weights(spec, 1, family), {on, profile})
          .make_session();
  std::vector<float> pixels(images.elements());
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<float>(2 * effnet::uniform(1, i) - 1);
  typename B::buffer source(pixels.size() * sizeof(float));
  auto* data = reinterpret_cast<float*>(source.data());
  on.upload(pixels.data(), data, source.bytes());

  session.run({data, images});
  profile->forget_times();
  std::vector<double> whole, between;
  const auto first = clock::now();
  const auto goes_on = [&] {
    const auto done = static_cast<int>(whole.size());
    if (passes > 0) return done < passes;
    return done < 5 || (done < 100 && clock::now() - first < std::chrono::seconds(1));
  };
  while (goes_on()) {
    const auto start = clock::now();
    session.run({data, images});
    whole.push_back(std::chrono::duration<double>(clock::now() - start).count());
    between.push_back(whole.back());
    for (const effnet::op_record& op : profile->ops()) between.back() -= op.seconds.back();
  }
  return {.spec = spec,
          .images = images,
          .backend = std::string(B::name()),
          .threads = session.device().threads(),
          .passes = whole.size(),
          .rows = rows_of(spec, profile->ops()),
          .pass_seconds = effnet::median(whole),
          .between_seconds = effnet::median(between)};
}

}  // namespace example
