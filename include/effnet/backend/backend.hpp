#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include <effnet/backend/problems.hpp>
#include <effnet/core/tensor_view.hpp>

namespace effnet {

/// The ops that a backend implements, written once.
///
/// A backend is a cheap value: it says how to run, and holds no activations. Views point into
/// memory that its `buffer` owns, NHWC, float32 unless the backend stores maps otherwise. Ops
/// overwrite `dst`; `src` may be `dst` where noted. Ops run in the order of the calls.
///
/// memory
///   buffer(bytes)                          aligned, uninitialised; data(), bytes(); movable, and
///                                          empty by default
///   upload(host, device, bytes), download  copies
///   enter()                                an object that lives around planning and running
///   with_threads(n)                        the same backend on n threads; 0: all it may use
/// convolution: planned per shape, weights packed once per layout
///   plan_conv(problem) -> conv
///   conv::scratch_bytes(), conv::layout() -> comparable, conv::implementation() -> its name
///   conv::pack(oihw, bias) -> packed       host pointers; bias may be null
///   conv_forward(conv, packed, src, dst, scratch)
/// element-wise and pooling
///   activation_forward(act, src, dst)      in place allowed
///   add_forward(a, b, dst)                 dst may be a or b
///   scale_channels_forward(src, gate, dst) dst = src * gate[n,1,1,c]; in place allowed
///   global_pool_forward(src, dst)          mean over h, w into [n,1,1,c]
///   max_pool_forward(problem, src, dst)
///
/// Optional, found with `requires`; without them the parts above run:
///   map_type() -> dtype                    in which type maps between layers are stored; images,
///                                          means over images, gates and logits stay float32
///   plan_conv(problem, epilogue) -> conv   bias, activations and residual while storing
///   plan_expand_depthwise(expand, depthwise, act) -> expand_depthwise    the first half of MBConv;
///                                          `expand` points to the problem of the 1x1 in front, or
///                                          is null; expand() and depthwise() pack weights
///   expand_depthwise_forward(op, expand, depthwise, src, dst, means, scratch)    means: [n,1,1,c]
///                                          of dst, or null
///   run_groups(count, body)                body(on, lane, group) for every group below `count`, on
///                                          whichever thread is free; `on` is this backend on that
///                                          one thread, lanes are numbered below threads()
///   plan_gated_conv(problem, epilogue) -> conv
///   conv_forward_gated(conv, packed, src, gate, dst, scratch)    of src * gate[n,1,1,c]
///   plan_squeeze_excite(squeeze, excite, act) -> squeeze_excite    both layers as one;
///                                          squeeze() and excite() pack weights
///   squeeze_excite_forward(op, squeeze, excite, means, gate)    means, gate: [n,1,1,c]
///   records()                              whether passes are to be recorded
///   record(body) -> graph                  what body() asks for, which is not done yet: ops and
///                                          copies within the backend's memory, no uploads or
///                                          downloads. Where body() throws nothing was asked for
///   replay(graph)                          does it, with what the same places hold by now
///   copy(from, to, bytes)                  within the backend's memory
template <class B>
concept backend = std::copyable<B> &&
    requires(const B be, typename B::conv conv, const typename B::packed packed,
             const typename B::buffer buffer, const conv_problem& problem,
             const max_pool_problem& pool, const const_tensor_view src, const tensor_view dst,
             std::byte* scratch, const float* host, float* memory) {
  { B::name() } -> std::convertible_to<std::string_view>;
  requires std::constructible_from<typename B::buffer, std::size_t>;
  requires std::default_initializable<typename B::buffer> && std::movable<typename B::buffer>;
  { buffer.data() } -> std::same_as<std::byte*>;
  { buffer.bytes() } -> std::same_as<std::size_t>;
  be.upload(host, memory, std::size_t{});
  be.download(host, memory, std::size_t{});
  be.enter();
  { be.with_threads(int{}) } -> std::same_as<B>;
  { be.threads() } -> std::same_as<int>;

  { be.plan_conv(problem) } -> std::same_as<typename B::conv>;
  { conv.scratch_bytes() } -> std::same_as<std::size_t>;
  { conv.layout() == conv.layout() } -> std::convertible_to<bool>;
  { conv.implementation() } -> std::convertible_to<std::string_view>;
  { conv.pack(host, host) } -> std::same_as<typename B::packed>;
  be.conv_forward(conv, packed, src, dst, scratch);

  be.activation_forward(activation::silu, src, dst);
  be.add_forward(src, src, dst);
  be.scale_channels_forward(src, src, dst);
  be.global_pool_forward(src, dst);
  be.max_pool_forward(pool, src, dst);
};

template <class B>
dtype map_type(const B& on) {
  if constexpr (requires {
                  { on.map_type() } -> std::same_as<dtype>;
                })
    return on.map_type();
  return dtype::f32;
}

/// Whether activations and residuals are applied while a convolution stores its result.
template <class B>
concept fuses_epilogues = backend<B> && requires(const B be, const conv_problem& p, epilogue e) {
  { be.plan_conv(p, e) } -> std::same_as<typename B::conv>;
};

/// Whether threads can each take a group of images through a whole network.
template <class B>
concept runs_groups_apart = backend<B> &&
    requires(const B be, void (*group)(const B&, std::size_t, std::size_t)) {
  be.run_groups(std::size_t{}, group);
};

/// Whether MBConv runs as two ops: expand and depthwise in one, the gate within the projection.
template <class B>
concept fuses_mbconv = fuses_epilogues<B> &&
    requires(const B be, const conv_problem& p, epilogue e,
             const typename B::expand_depthwise front, const typename B::conv conv,
             const typename B::packed packed, const_tensor_view src, tensor_view dst, float* means,
             std::byte* scratch) {
  {
    be.plan_expand_depthwise(&p, p, activation::silu)
    } -> std::same_as<typename B::expand_depthwise>;
  { front.scratch_bytes() } -> std::same_as<std::size_t>;
  { front.expand().pack(means, means) } -> std::same_as<typename B::packed>;
  { front.depthwise().pack(means, means) } -> std::same_as<typename B::packed>;
  be.expand_depthwise_forward(front, &packed, packed, src, dst, means, scratch);
  { be.plan_gated_conv(p, e) } -> std::same_as<typename B::conv>;
  be.conv_forward_gated(conv, packed, src, src, dst, scratch);
};

/// Whether the two layers of squeeze-excite run as one op.
template <class B>
concept fuses_squeeze_excite = backend<B> &&
    requires(const B be, const conv_problem& p, const typename B::squeeze_excite op,
             const typename B::packed packed, const float* means, const_tensor_view src,
             tensor_view dst) {
  { be.plan_squeeze_excite(p, p, activation::silu) } -> std::same_as<typename B::squeeze_excite>;
  { op.squeeze().pack(means, means) } -> std::same_as<typename B::packed>;
  { op.excite().pack(means, means) } -> std::same_as<typename B::packed>;
  be.squeeze_excite_forward(op, packed, packed, src, dst);
};

/// Whether a pass can be recorded and repeated as one call.
template <class B>
concept records_graphs = backend<B> && requires(const B be, const typename B::graph recorded,
                                                void (*body)(), const float* from, float* to) {
  requires std::movable<typename B::graph>;
  { be.records() } -> std::same_as<bool>;
  { be.record(body) } -> std::same_as<typename B::graph>;
  be.replay(recorded);
  be.copy(from, to, std::size_t{});
};

}  // namespace effnet
