#pragma once

#include <string_view>

#include <effnet/cuda/squeeze_excite_kernel.hpp>
#include <effnet/cuda/weight_packer.hpp>

namespace effnet::cuda {

/// Both layers of squeeze-excite, from means to gates.
template <device D>
class gpu_squeeze_excite {
 public:
  gpu_squeeze_excite(const D& on, const conv_problem& squeeze, const conv_problem& excite,
                     activation act)
      : on_(on),
        problem_(squeeze),
        act_(act),
        squeeze_(on, squeeze, weight_layout::dense),
        excite_(on, excite, weight_layout::dense) {}

  static constexpr std::string_view implementation() { return squeeze_excite_kernel::name; }
  const weight_packer<D>& squeeze() const { return squeeze_; }
  const weight_packer<D>& excite() const { return excite_; }

  void run(const packed_weights<D>& squeeze, const packed_weights<D>& excite, const float* means,
           float* gate) const {
    const std::size_t count = problem_.src.elements();
    on_.run(squeeze_excite_kernel{.images = problem_.src.n,
                                  .channels = problem_.src.c,
                                  .squeezed = problem_.out,
                                  .act = act_,
                                  .means = {means, count},
                                  .squeeze_weights = squeeze.weight_span(),
                                  .squeeze_bias = squeeze.bias_span(),
                                  .excite_weights = excite.weight_span(),
                                  .excite_bias = excite.bias_span(),
                                  .gate = {gate, count}});
  }

 private:
  D on_;
  conv_problem problem_;
  activation act_;
  weight_packer<D> squeeze_, excite_;
};

}  // namespace effnet::cuda
