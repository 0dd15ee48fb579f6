#pragma once

#include <omp.h>

#include <string>
#include <string_view>

#include <oneapi/dnnl/dnnl.hpp>

#include <effnet/backend/problems.hpp>
#include <effnet/core/error.hpp>

static_assert(DNNL_VERSION_MAJOR == 2 || DNNL_VERSION_MAJOR == 3,
              "effnet: the CPU backend is written for oneDNN 2.x and 3.x");

/// oneDNN, with every difference between its versions: describing problems.
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

/// As the project stores weights: OIHW, depthwise C,1,1,k,k, fully connected out,in.
inline memory::desc plain_weights(const conv_problem& p) {
  using tag = memory::format_tag;
  if (p.fully_connected()) return plain({p.out, p.src.c}, tag::nc);
  if (p.depthwise())
    return plain({p.groups, p.out / p.groups, p.src.c / p.groups, p.kernel, p.kernel}, tag::goihw);
  return plain({p.out, p.src.c, p.kernel, p.kernel}, tag::oihw);
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

/// Any primitive's description, once its arguments are settled.
using description = dnnl::primitive_desc_base;

inline dnnl::inner_product_forward::primitive_desc inner_product(
    const conv_problem& p, const epilogue& then,
    dnnl::prop_kind kind = dnnl::prop_kind::forward_inference) {
  const conv_descs m = describe(p);
#if DNNL_VERSION_MAJOR >= 3
  return {onednn_engine(), kind, m.src, m.weights, m.bias, m.dst, attributes(then)};
#else
  return {{kind, m.src, m.weights, m.bias, m.dst}, attributes(then), onednn_engine()};
#endif
}

inline dnnl::convolution_forward::primitive_desc convolution(
    const conv_problem& p, const epilogue& then,
    dnnl::prop_kind kind = dnnl::prop_kind::forward_inference) {
  const conv_descs m = describe(p);
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

/// Describes the gradient pass `Primitive` of a convolution, from its memory in oneDNN's order.
template <class Primitive, class... Memory>
typename Primitive::primitive_desc convolution_backward(const conv_problem& p, const Memory&... m) {
  const auto hint = convolution(p, {}, dnnl::prop_kind::forward_training);
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const memory::dims strides{p.stride, p.stride};
  const memory::dims before{p.pad.top, p.pad.left}, after{p.pad.bottom, p.pad.right};
#if DNNL_VERSION_MAJOR >= 3
  return {onednn_engine(), algorithm, m..., strides, before, after, hint, attributes({})};
#else
  return {typename Primitive::desc(algorithm, m..., strides, before, after), attributes({}),
          onednn_engine(), hint};
#endif
}

/// The same of a fully connected layer.
template <class Primitive, class... Memory>
typename Primitive::primitive_desc inner_product_backward(const conv_problem& p,
                                                          const Memory&... m) {
  const auto hint = inner_product(p, {}, dnnl::prop_kind::forward_training);
#if DNNL_VERSION_MAJOR >= 3
  return {onednn_engine(), m..., hint, attributes({})};
#else
  return {typename Primitive::desc(m...), attributes({}), onednn_engine(), hint};
#endif
}

/// Plans with `make()`; what oneDNN refuses becomes a sentence.
template <class Make>
description planned(std::string_view pass, const conv_problem& p, const Make& make) {
  try {
    return make();
  } catch (const dnnl::error& e) {
    throw backend_error(sentence(
        "oneDNN ", onednn_version(), " (", onednn_isa(), ") cannot run a ", p.kernel, "x", p.kernel,
        " convolution of stride ", p.stride, " from ", to_string(p.src), " to ", to_string(p.dst()),
        ", ", pass, ": ", std::string_view(e.what()), "; use the reference backend for it"));
  }
}

inline description plan_forward(const conv_problem& p, const epilogue& then) {
  return planned("forward", p, [&]() -> description {
    if (p.fully_connected()) return inner_product(p, then);
    return convolution(p, then);
  });
}

inline description plan_backward_data(const conv_problem& p) {
  const conv_descs m = describe(p);
  return planned("backward by data", p, [&]() -> description {
    if (p.fully_connected())
      return inner_product_backward<dnnl::inner_product_backward_data>(p, m.src, m.weights, m.dst);
    return convolution_backward<dnnl::convolution_backward_data>(p, m.src, m.weights, m.dst);
  });
}

inline description plan_backward_weights(const conv_problem& p, bool bias) {
  const conv_descs m = describe(p);
  const auto plan = [&](const auto&... arguments) -> description {
    if (p.fully_connected())
      return inner_product_backward<dnnl::inner_product_backward_weights>(p, arguments...);
    return convolution_backward<dnnl::convolution_backward_weights>(p, arguments...);
  };
  return planned("backward by weights", p, [&] {
    return bias ? plan(m.src, m.weights, m.bias, m.dst) : plan(m.src, m.weights, m.dst);
  });
}

}  // namespace detail

}  // namespace effnet::cpu
