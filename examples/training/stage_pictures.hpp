#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <effnet/data/any_data_set.hpp>
#include <effnet/data/loader.hpp>
#include <effnet/images.hpp>
#include <effnet/train/training_run.hpp>

#include "training/training_report.hpp"

namespace example {

namespace detail {

/// Picture `index` of a batch, as it was before its values were normalised.
inline std::vector<std::byte> jpeg_of(const effnet::loaded_batch& batch, int index,
                                      const effnet::input_rule& rule) {
  effnet::image picture = effnet::make_image(batch.shape.w, batch.shape.h);
  const std::size_t values = picture.pixels.size();
  const float* from = batch.images.data() + static_cast<std::size_t>(index) * values;
  for (std::size_t i = 0; i < values; ++i) {
    const float pixel = from[i] * rule.deviation[i % 3] + rule.mean[i % 3];
    picture.pixels[i] = static_cast<std::uint8_t>(std::lround(std::clamp(pixel, 0.0f, 255.0f)));
  }
  return effnet::encode_jpeg(picture, 85);
}

}  // namespace detail

/// The first pictures of the first batch of every stage, as the network saw them.
inline std::vector<shown_batch> stage_pictures(const effnet::training_run& run,
                                               const effnet::any_data_set& set,
                                               const effnet::loader_options& options) {
  constexpr int shown = 12;
  std::vector<shown_batch> batches;
  const effnet::progressive_schedule& schedule = run.schedule();
  for (std::size_t stage = 0; stage < schedule.stages.size(); ++stage) {
    std::int64_t step = 0;
    while (step < run.total_steps() && schedule.stage_at(step) != stage) ++step;
    std::optional<effnet::batch_request> request = run.request(step);
    if (!request) continue;
    // Mixing takes place within the batch: a smaller one has the same look, but other partners.
    request->count = std::min(request->count, shown);
    effnet::loader loader(
        set, options,
        [&](std::int64_t at) {
          return at == step ? request : std::optional<effnet::batch_request>();
        },
        step);
    const effnet::loaded_batch& batch = loader.next();
    shown_batch made{.title = effnet::sentence("Stage ", stage + 1, ", ", request->look.size, " x ",
                                               request->look.size, " pixels"),
                     .jpegs = {}};
    for (int i = 0; i < batch.shape.n; ++i)
      made.jpegs.push_back(detail::jpeg_of(batch, i, options.input));
    batches.push_back(std::move(made));
  }
  return batches;
}

}  // namespace example
