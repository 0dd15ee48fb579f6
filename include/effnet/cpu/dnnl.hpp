#pragma once

#include <omp.h>

#include <array>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include <oneapi/dnnl/dnnl.hpp>

#include <effnet/backend/problems.hpp>
#include <effnet/core/error.hpp>

static_assert(DNNL_VERSION_MAJOR == 2 || DNNL_VERSION_MAJOR == 3,
              "effnet: the CPU backend is written for oneDNN 2.x and 3.x");

/// Everything that is spelled `dnnl::`, and every difference between oneDNN's versions.
namespace effnet::cpu {

inline const dnnl::engine& onednn_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

/// A stream for each thread: CPU streams hold no state, but are not promised to be shareable.
inline dnnl::stream& onednn_stream() {
  thread_local dnnl::stream stream(onednn_engine());
  return stream;
}

/// The instruction set that oneDNN has chosen, as "AVX2" or "AVX512_CORE_BF16".
inline std::string onednn_isa() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "SSE4.1";
    case dnnl::cpu_isa::avx:
      return "AVX";
    case dnnl::cpu_isa::avx2:
      return "AVX2";
    case dnnl::cpu_isa::avx2_vnni:
      return "AVX2_VNNI";
    case dnnl::cpu_isa::avx512_core:
      return "AVX512_CORE";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "AVX512_CORE_VNNI";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "AVX512_CORE_BF16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "AVX512_CORE_AMX";
    default:
      return "other";
  }
}

inline std::string onednn_version() {
  const dnnl_version_t* v = dnnl_version();
  return sentence(v->major, '.', v->minor, '.', v->patch);
}

namespace detail {

using dnnl::memory;

inline memory::desc plain(memory::dims extents, memory::format_tag tag) {
  return {std::move(extents), memory::data_type::f32, tag};
}

inline void append(dnnl::post_ops& ops, activation act) {
  const auto add = [&](dnnl::algorithm algorithm, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(algorithm, alpha, beta);
#else
    ops.append_eltwise(1.0f, algorithm, alpha, beta);
#endif
  };
  switch (act) {
    case activation::identity:
      break;
    case activation::silu:
      add(dnnl::algorithm::eltwise_swish, 1, 0);
      break;
    case activation::relu:
      add(dnnl::algorithm::eltwise_relu, 0, 0);
      break;
    case activation::relu6:
      add(dnnl::algorithm::eltwise_clip, 0, 6);
      break;
    case activation::sigmoid:
      add(dnnl::algorithm::eltwise_logistic, 0, 0);
      break;
  }
}

inline dnnl::primitive_attr attributes(const epilogue& then) {
  dnnl::post_ops ops;
  append(ops, then.before);
  if (then.add_dst) ops.append_sum(1.0f);
  append(ops, then.after);
  dnnl::primitive_attr attr;
  attr.set_post_ops(ops);
  // The library's own scratchpad may not be used by a thread other than the one that made it.
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

struct conv_descs {
  memory::desc src, weights, bias, dst;
};

/// Activations NHWC, weights in whatever layout the kernel wants.
inline conv_descs describe(const conv_problem& p) {
  using tag = memory::format_tag;
  const shape4 d = p.dst();
  if (p.fully_connected())
    return {plain({p.src.n, p.src.c}, tag::nc), plain({p.out, p.src.c}, tag::any),
            plain({p.out}, tag::x), plain({d.n, d.c}, tag::nc)};
  const memory::dims weights = p.depthwise() ? memory::dims{p.groups, p.out / p.groups,
                                                            p.src.c / p.groups, p.kernel, p.kernel}
                                             : memory::dims{p.out, p.src.c, p.kernel, p.kernel};
  return {plain({p.src.n, p.src.c, p.src.h, p.src.w}, tag::nhwc), plain(weights, tag::any),
          plain({p.out}, tag::x), plain({d.n, d.c, d.h, d.w}, tag::nhwc)};
}

inline dnnl::inner_product_forward::primitive_desc inner_product(const conv_problem& p,
                                                                 const epilogue& then) {
  const conv_descs m = describe(p);
  const auto kind = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
  return {onednn_engine(), kind, m.src, m.weights, m.bias, m.dst, attributes(then)};
#else
  return {{kind, m.src, m.weights, m.bias, m.dst}, attributes(then), onednn_engine()};
#endif
}

inline dnnl::convolution_forward::primitive_desc convolution(const conv_problem& p,
                                                             const epilogue& then) {
  const conv_descs m = describe(p);
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const memory::dims strides{p.stride, p.stride};
  const memory::dims before{p.pad.top, p.pad.left}, after{p.pad.bottom, p.pad.right};
#if DNNL_VERSION_MAJOR >= 3
  return {onednn_engine(), kind,    algorithm, m.src, m.weights,       m.bias,
          m.dst,           strides, before,    after, attributes(then)};
#else
  return {{kind, algorithm, m.src, m.weights, m.bias, m.dst, strides, before, after},
          attributes(then),
          onednn_engine()};
#endif
}

}  // namespace detail

/// Weights in a kernel's own layout. Immutable, shared between sessions.
struct packed_weights {
  dnnl::memory weights, bias;
};

/// A planned convolution or fully connected layer. The memory handles in it are this plan's own:
/// two threads use two plans.
class convolution {
 public:
  convolution(const conv_problem& problem, const epilogue& then) : problem_(problem) {
    try {
      if (problem.fully_connected())
        build<dnnl::inner_product_forward>(detail::inner_product(problem, then));
      else
        build<dnnl::convolution_forward>(detail::convolution(problem, then));
    } catch (const dnnl::error& e) {
      throw backend_error(
          sentence("oneDNN ", onednn_version(), " (", onednn_isa(), ") cannot run a ",
                   problem.kernel, "x", problem.kernel, " convolution of stride ", problem.stride,
                   " from ", to_string(problem.src), " to ", to_string(problem.dst()), ": ",
                   std::string_view(e.what()), "; use the reference backend for it"));
    }
  }

  std::size_t scratch_bytes() const { return scratch_bytes_; }
  const dnnl::memory::desc& layout() const { return layout_; }
  std::string_view implementation() const { return implementation_; }

  /// From OIHW (depthwise C,1,k,k; fully connected out,in) and one bias an output channel.
  packed_weights pack(const float* oihw, const float* bias) const {
    using tag = dnnl::memory::format_tag;
    const auto extents = extents_of(layout_);
    const dnnl::memory::desc plain = detail::plain(extents, extents.size() == 5   ? tag::goihw
                                                            : extents.size() == 4 ? tag::oihw
                                                                                  : tag::nc);
    packed_weights packed{dnnl::memory(layout_, onednn_engine()),
                          dnnl::memory(detail::plain({problem_.out}, tag::x), onednn_engine())};
    dnnl::memory from(plain, onednn_engine(), const_cast<float*>(oihw));
    dnnl::reorder(from, packed.weights).execute(onednn_stream(), from, packed.weights);
    onednn_stream().wait();
    auto* to = static_cast<float*>(packed.bias.get_data_handle());
    for (int o = 0; o < problem_.out; ++o) to[o] = bias != nullptr ? bias[o] : 0.0f;
    return packed;
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    src_.set_data_handle(const_cast<float*>(src));
    dst_.set_data_handle(dst);
    scratch_.set_data_handle(scratch);
    // The C call takes an array; the C++ one would build a map at every execution.
    const std::array<dnnl_exec_arg_t, 5> arguments{{{DNNL_ARG_SRC, src_.get()},
                                                    {DNNL_ARG_WEIGHTS, packed.weights.get()},
                                                    {DNNL_ARG_BIAS, packed.bias.get()},
                                                    {DNNL_ARG_DST, dst_.get()},
                                                    {DNNL_ARG_SCRATCHPAD, scratch_.get()}}};
    const dnnl_status_t status =
        dnnl_primitive_execute(primitive_.get(), onednn_stream().get(),
                               static_cast<int>(arguments.size()), arguments.data());
    if (status != dnnl_success)
      throw backend_error(sentence("oneDNN ", onednn_version(), " failed with status ",
                                   static_cast<int>(status), " in a convolution from ",
                                   to_string(problem_.src), " to ", to_string(problem_.dst())));
  }

 private:
  template <class Primitive>
  void build(const typename Primitive::primitive_desc& pd) {
    const auto handle = [](const dnnl::memory::desc& desc) {
      return dnnl::memory(desc, onednn_engine(), nullptr);
    };
    primitive_ = Primitive(pd);
    layout_ = pd.weights_desc();
    scratch_bytes_ = pd.scratchpad_desc().get_size();
    implementation_ = pd.impl_info_str();
    src_ = handle(pd.src_desc());
    dst_ = handle(pd.dst_desc());
    scratch_ = handle(pd.scratchpad_desc());
  }

  static dnnl::memory::dims extents_of(const dnnl::memory::desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
    return desc.get_dims();
#else
    return desc.dims();
#endif
  }

  conv_problem problem_;
  dnnl::primitive primitive_;
  dnnl::memory::desc layout_;
  std::size_t scratch_bytes_ = 0;
  std::string implementation_;
  mutable dnnl::memory src_, dst_, scratch_;
};

}  // namespace effnet::cpu
