#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <effnet/io/check_finite.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/safetensors.hpp>

namespace example {

/// Ready input of a network from a safetensors file: tensor `input`, [n, channels, h, w]. The file
/// stays mapped; one image at a time is brought into the memory order of effnet.
class tensor_input {
 public:
  tensor_input(const std::string& path, int channels) : file_(effnet::read_safetensors(path)) {
    const std::string where = "tensor 'input' of " + effnet::in_quotes(path);
    const effnet::raw_tensor* found = file_.find("input");
    if (found == nullptr)
      throw effnet::file_error(effnet::in_quotes(path) +
                               " has no tensor 'input' [n, channels, height, width]");
    input_ = found;
    const std::vector<std::int64_t>& s = input_->shape;
    constexpr std::int64_t smallest = 32, largest = 1 << 14;
    const auto side = [](std::int64_t pixels) { return pixels >= smallest && pixels <= largest; };
    if (s.size() != 4 || s[0] < 1 || s[1] != channels || !side(s[2]) || !side(s[3]))
      throw effnet::shape_error(effnet::sentence(
          where, " is ", effnet::shape_text(s), ", expected [n, ", channels,
          ", height, width] (NCHW) with n at least 1 and sides of ", smallest, " to ", largest));
    if (!effnet::is_floating(input_->type))
      throw effnet::file_error(effnet::sentence(where, " has the element type ",
                                                effnet::name_of(input_->type), ", expected F32"));
    if (const auto bad = effnet::first_not_finite(*input_))
      throw effnet::file_error(
          effnet::sentence(where, " is infinite or not a number at element ", *bad));
  }

  std::size_t images() const { return static_cast<std::size_t>(input_->shape[0]); }
  effnet::shape4 image_shape() const {
    return {1, static_cast<int>(input_->shape[2]), static_cast<int>(input_->shape[3]),
            static_cast<int>(input_->shape[1])};
  }

  /// NCHW to NHWC.
  void read(std::size_t image, std::vector<float>& to) const {
    const effnet::shape4 s = image_shape();
    const auto channels = static_cast<std::size_t>(s.c);
    const std::size_t plane = s.elements() / channels;
    const std::size_t bytes = s.elements() * effnet::size_of(input_->type);
    std::vector<float> planes(s.elements());
    effnet::widen(input_->type, input_->data + image * bytes, planes.size(), planes.data());
    to.resize(planes.size());
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t i = 0; i < plane; ++i) to[i * channels + c] = planes[c * plane + i];
  }

 private:
  effnet::state_dict file_;
  const effnet::raw_tensor* input_ = nullptr;
};

}  // namespace example
