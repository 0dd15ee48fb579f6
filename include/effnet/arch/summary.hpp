#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <effnet/arch/count.hpp>

namespace effnet {

/// One line of a network's description: the stem, a stage, the head or the classifier.
struct summary_row {
  std::string_view part;  ///< "stem", "stage", "head", "classifier"
  int stage = 0;          ///< from 1, as the papers count without the stem; 0 outside the stages
  stage_spec spec;        ///< of a stage
  int channels = 0;       ///< of the output
  int height = 0, width = 0;  ///< of the output, pixels
  std::int64_t parameters = 0;
  std::int64_t macs = 0;
  std::int64_t activations = 0;  ///< elements that its layers put out, one image
  int receptive_field = 0;       ///< pixels of the input image that one output pixel depends on
  int reduction = 1;             ///< input pixels between neighbouring output pixels
};

/// A network's rows at an image size, with their sums.
struct network_summary {
  std::array<summary_row, stage_list::capacity + 3> rows{};
  int count = 0;
  std::int64_t parameters = 0, macs = 0;

  constexpr const summary_row* begin() const { return rows.data(); }
  constexpr const summary_row* end() const { return rows.data() + count; }
  constexpr const summary_row& operator[](std::size_t i) const { return rows[i]; }
};

constexpr network_summary summarize(const network_spec& spec, int height, int width) {
  network_summary sum;
  int field = 1, reduction = 1;
  const auto widen = [&](int kernel, int stride) {
    field += (kernel - 1) * reduction;
    reduction *= stride;
  };
  for_each_layer(spec, height, width, [&](const layer& l) {
    const bool first = l.role == layer_role::stem || l.role == layer_role::head ||
                       l.role == layer_role::classifier ||
                       (sum[static_cast<std::size_t>(sum.count - 1)].stage != l.stage + 1);
    if (first) ++sum.count;
    summary_row& row = sum.rows[static_cast<std::size_t>(sum.count - 1)];
    row.stage = l.stage + 1;
    row.part = l.role == layer_role::stem         ? "stem"
               : l.role == layer_role::head       ? "head"
               : l.role == layer_role::classifier ? "classifier"
                                                  : "stage";
    if (row.stage > 0) row.spec = spec.stages[static_cast<std::size_t>(l.stage)];
    row.parameters += count_parameters(l);
    row.macs += count_macs(l);
    row.activations += std::int64_t{l.dst_h} * l.dst_w * l.out;
    sum.parameters += count_parameters(l);
    sum.macs += count_macs(l);
    // Squeeze-excite sees the whole image, as does the classifier: the field is of the
    // convolutions.
    if (l.batch_norm && l.role != layer_role::shortcut) widen(l.kernel, l.stride);
    if (l.batch_norm) row.channels = l.out, row.height = l.dst_h, row.width = l.dst_w;
    if (l.role == layer_role::stem && spec.stem_pool) {
      widen(3, 2);
      row.height = strided(row.height, 2), row.width = strided(row.width, 2);
    }
    if (l.role == layer_role::classifier) row.channels = l.out, row.height = row.width = 1;
    row.receptive_field = field, row.reduction = reduction;
  });
  return sum;
}

}  // namespace effnet
