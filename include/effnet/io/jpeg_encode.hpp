#pragma once

// jpeglib.h needs FILE before it:
// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/image_trap.hpp>

namespace effnet {

namespace detail {

/// libjpeg's compressor into a vector.
class jpeg_writer {
 public:
  explicit jpeg_writer(std::vector<std::byte>& target) : target_(target) {
    state_.err = jpeg_std_error(&errors_);
    errors_.error_exit = [](j_common_ptr state) {
      char message[JMSG_LENGTH_MAX] = {};
      state->err->format_message(state, message);
      of(state).trap_.spring(message);
    };
    errors_.output_message = [](j_common_ptr) {};
    sink_.init_destination = [](j_compress_ptr state) { of(state).grow(0); };
    sink_.empty_output_buffer = [](j_compress_ptr state) -> boolean {
      of(state).grow(of(state).target_.size());  // called when the whole buffer is full
      return TRUE;
    };
    sink_.term_destination = [](j_compress_ptr state) {
      jpeg_writer& self = of(state);
      self.target_.resize(self.target_.size() - self.sink_.free_in_buffer);
    };
  }
  ~jpeg_writer() {
    if (created_) jpeg_destroy_compress(&state_);
  }
  jpeg_writer(const jpeg_writer&) = delete;
  jpeg_writer& operator=(const jpeg_writer&) = delete;

  bool write(const image& picture, int quality) {
    return trap_.run([&, this] {
      state_.client_data = this;
      jpeg_create_compress(&state_);
      created_ = true;
      state_.client_data = this;
      state_.dest = &sink_;
      state_.image_width = static_cast<JDIMENSION>(picture.width);
      state_.image_height = static_cast<JDIMENSION>(picture.height);
      state_.input_components = 3;
      state_.in_color_space = JCS_RGB;
      jpeg_set_defaults(&state_);
      jpeg_set_quality(&state_, quality, TRUE);
      jpeg_start_compress(&state_, TRUE);
      for (int y = 0; y < picture.height; ++y) {
        JSAMPROW row = const_cast<JSAMPROW>(picture.row(y));  // libjpeg reads it only
        jpeg_write_scanlines(&state_, &row, 1);
      }
      jpeg_finish_compress(&state_);
    });
  }

  const char* reason() const { return trap_.reason(); }

 private:
  template <class State>
  static jpeg_writer& of(State* state) {
    return *static_cast<jpeg_writer*>(state->client_data);
  }
  void grow(std::size_t used) {
    bool grown = true;
    try {
      target_.resize(used + (used == 0 ? std::size_t{64} << 10 : used));
    } catch (...) {  // must not pass through C frames
      grown = false;
    }
    if (!grown) trap_.spring("memory ran out");
    sink_.next_output_byte = reinterpret_cast<JOCTET*>(target_.data() + used);
    sink_.free_in_buffer = target_.size() - used;
  }

  std::vector<std::byte>& target_;
  jpeg_compress_struct state_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_destination_mgr sink_ = {};
  image_trap trap_;
  bool created_ = false;
};

}  // namespace detail

/// A baseline JPEG with chroma halved in both directions; `quality` 1 to 100 as libjpeg counts it
/// (75 is usual). Throws `image_error` for another quality or a side above 65500, `shape_error` for
/// an image without pixels.
inline std::vector<std::byte> encode_jpeg(const image& picture, int quality = 75) {
  check_image(picture, "encode");
  if (quality < 1 || quality > 100)
    throw image_error(sentence("the JPEG quality is ", quality, "; it must be 1 to 100"));
  std::vector<std::byte> file;
  detail::jpeg_writer writer(file);
  if (!writer.write(picture, quality))
    throw image_error(sentence("cannot encode an image of ", picture.width, " x ", picture.height,
                               " pixels as JPEG: ", writer.reason()));
  return file;
}

}  // namespace effnet
