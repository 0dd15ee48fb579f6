#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <effnet/arch/convention.hpp>
#include <effnet/core/file_mapping.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/data/picture_cache.hpp>
#include <effnet/data/random_crop.hpp>
#include <effnet/data/sample_look.hpp>
#include <effnet/data/staged_samples.hpp>
#include <effnet/data/staging_memory.hpp>
#include <effnet/data/training_sample.hpp>
#include <effnet/io/decode.hpp>
#include <effnet/io/image.hpp>

namespace effnet {

/// Makes training samples of a set's pictures: draws the crop from the size in a file's header and
/// decodes a JPEG only as large as the crop needs it. That reduction depends on picture, crop and
/// sample size alone, so that samples are the same with any cache. Any number of threads may ask
/// at once. The set must outlive it.
template <data_set Set>
class sample_maker {
 public:
  sample_maker(const Set& set, const input_rule& input, std::uint64_t seed,
               std::size_t cache_bytes = 0)
      : set_(&set), levels_(input), seed_(seed), cache_(cache_bytes, set.count()) {}

  /// Sample `index` as it looks in this epoch; `dst` receives look.size x look.size x 3 floats.
  /// Throws `image_error` or `file_error` where its picture cannot be had.
  void make(std::size_t index, std::uint64_t epoch, const sample_look& look, float* dst) {
    const sample_key key{seed_, epoch, index};
    const source from = source_of(index, look, key);
    make_training_sample(*from.picture, from.box, from.reduction, look, levels_, key, dst);
  }

  /// The same as a device takes it; its bytes go to `memory`.
  staged_sample stage(std::size_t index, std::uint64_t epoch, const sample_look& look,
                      staging_memory& memory) {
    const sample_key key{seed_, epoch, index};
    const source from = source_of(index, look, key);
    return stage_training_sample(*from.picture, from.box, from.reduction, look, key, memory);
  }

  const pixel_levels& levels() const { return levels_; }
  const picture_cache& cache() const { return cache_; }

 private:
  struct source {
    std::shared_ptr<const image> picture;
    crop_box box;
    int reduction = 1;
  };

  source source_of(std::size_t index, const sample_look& look, const sample_key& key) {
    std::optional<encoded_image> file;
    std::optional<image_size> size;
    std::shared_ptr<const image> picture;
    if constexpr (encoded_set<Set>) size = cache_.size_of(index);
    if (!size) picture = cache_.find(index, 1);
    if constexpr (encoded_set<Set>) {
      if (!size && !picture) {
        file = set_->encoded(index);
        if (file) size = reducible_size(file->bytes, file->name);
        if (size) cache_.remember(index, *size);
      }
      if (size) {
        const crop_box box = sample_box(size->width, size->height, look, key);
        // TensorFlow's rule takes single pixels: averaged before, they would be others.
        const int reduction =
            look.filter == interpolation::tf_bilinear ? 1 : sample_reduction(box, look.size);
        picture = cache_.find(index, reduction);
        if (!picture && !file) file = set_->encoded(index);
        if (!picture) picture = decoded(index, *file, reduction);
        return {picture, box, reduction};
      }
      if (file) picture = decoded(index, *file, 1);
    }
    if (!picture) picture = cache_.keep(index, 1, set_->image(index));
    return {picture, sample_box(picture->width, picture->height, look, key), 1};
  }

  std::shared_ptr<const image> decoded(std::size_t index, const encoded_image& file,
                                       int reduction) {
    image picture = decode_image(file.bytes, file.name, {.reduction = reduction});
    release_pages(file.owner, file.bytes);
    return cache_.keep(index, reduction, std::move(picture));
  }

  const Set* set_;
  pixel_levels levels_;
  std::uint64_t seed_;
  picture_cache cache_;
};

}  // namespace effnet
