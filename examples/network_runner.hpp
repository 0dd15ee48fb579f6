#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <effnet/nn/network.hpp>

namespace example {

/// A session of a network with its input and output in the host's memory. One for each thread; they
/// share the weights.
template <effnet::backend B>
class network_runner {
 public:
  /// `threads` 0: as many as the backend may use.
  explicit network_runner(const effnet::dynamic_network<B>& network, int threads = 0)
      : network_(network), session_(network_.make_session({.threads = threads})) {}

  const effnet::network_spec& spec() const { return network_.spec(); }
  const effnet::input_rule& input_rule() const { return network_.rule().input; }

  /// Runs NHWC images; `logits` and `embedding` hold the results after it.
  void run(const float* images, effnet::shape4 shape) {
    const std::size_t bytes = shape.elements() * sizeof(float);
    if (images_.bytes() < bytes) images_ = typename B::buffer(bytes);
    auto* on_device = reinterpret_cast<float*>(images_.data());
    session_.device().upload(images, on_device, bytes);
    const effnet::outputs& out = session_.run({on_device, shape});
    fetch(out.logits, logits_);
    fetch(out.embedding, embedding_);
    if (!std::ranges::all_of(logits_, [](float logit) { return std::isfinite(logit); }))
      throw effnet::error(effnet::sentence(
          "network '", std::string_view(spec().name),
          "' puts out values that are infinite or not a number; its weights are damaged or "
          "diverged, or its input is beyond all measure"));
  }

  std::span<const float> logits(std::size_t image = 0) const {
    return row(logits_, image, spec().classes);
  }
  std::span<const float> embedding(std::size_t image = 0) const {
    return row(embedding_, image, spec().features());
  }

 private:
  void fetch(const effnet::const_tensor_view& from, std::vector<float>& to) {
    to.resize(from.shape.elements());
    session_.device().download(from.data, to.data(), to.size() * sizeof(float));
  }
  static std::span<const float> row(const std::vector<float>& all, std::size_t image, int width) {
    const auto count = static_cast<std::size_t>(width);
    return std::span(all).subspan(image * count, count);
  }

  effnet::dynamic_network<B> network_;
  effnet::session<B> session_;
  typename B::buffer images_;
  std::vector<float> logits_, embedding_;
};

}  // namespace example
