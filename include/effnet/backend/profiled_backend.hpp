#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/backend/backend.hpp>
#include <effnet/backend/op_profile.hpp>

namespace effnet {

/// A planned op of another backend that remembers what it was planned for.
template <class Op>
struct profiled_op : Op {
  std::shared_ptr<const op_plan> plan;
};

namespace detail {
/// The types of optional ops, where the wrapped backend has them.
template <class B>
struct profiled_mbconv {};
template <fuses_mbconv B>
struct profiled_mbconv<B> {
  using expand_depthwise = profiled_op<typename B::expand_depthwise>;
};
template <class B>
struct profiled_squeeze_excite {};
template <fuses_squeeze_excite B>
struct profiled_squeeze_excite<B> {
  using squeeze_excite = profiled_op<typename B::squeeze_excite>;
};
}  // namespace detail

/// Any backend, with the time of every op written into an `op_profile`: results, kernels and memory
/// are the wrapped backend's. A pass lasts from one `enter()` to the next, as sessions call it.
/// Copies write into the same profile, so that a network and one session of it share one; sessions
/// that run at once need a network each. Where a backend's calls return before the work is done,
/// each op is waited for (`wait()`): its time is then also that of starting it.
///
/// For a new optional op: plan it through `planned`, run it through `time`, both with the wrapped
/// backend's `requires`.
template <backend B>
class profiled_backend : public detail::profiled_mbconv<B>,
                         public detail::profiled_squeeze_excite<B> {
 public:
  using buffer = typename B::buffer;
  using packed = typename B::packed;
  using conv = profiled_op<typename B::conv>;

  profiled_backend(B on, std::shared_ptr<op_profile> profile)
      : backend_(std::move(on)), profile_(std::move(profile)) {}

  static constexpr std::string_view name() { return B::name(); }
  int threads() const { return backend_.threads(); }
  profiled_backend with_threads(int threads) const {
    return {backend_.with_threads(threads), profile_};
  }

  dtype map_type() const { return effnet::map_type(backend_); }
  auto enter() const {
    profile_->begin_pass();
    return backend_.enter();
  }
  void upload(const float* host, float* memory, std::size_t bytes) const {
    backend_.upload(host, memory, bytes);
  }
  void download(const float* memory, float* host, std::size_t bytes) const {
    backend_.download(memory, host, bytes);
  }

  conv plan_conv(const conv_problem& problem) const {
    return planned(backend_.plan_conv(problem), {{problem, {}}});
  }
  conv plan_conv(const conv_problem& problem,
                 const epilogue& then) const requires fuses_epilogues<B> {
    return planned(backend_.plan_conv(problem, then), {{problem, then}});
  }
  void conv_forward(const conv& op, const packed& weights, const_tensor_view src, tensor_view dst,
                    std::byte* scratch) const {
    time({.op = "conv", .src = src.shape, .dst = dst.shape, .plan = op.plan},
         [&] { backend_.conv_forward(op, weights, src, dst, scratch); });
  }

  conv plan_gated_conv(const conv_problem& problem,
                       const epilogue& then) const requires fuses_mbconv<B> {
    return planned(backend_.plan_gated_conv(problem, then), {{problem, then}});
  }
  void conv_forward_gated(const conv& op, const packed& weights, const_tensor_view src,
                          const_tensor_view gate, tensor_view dst,
                          std::byte* scratch) const requires fuses_mbconv<B> {
    time({.op = "conv", .src = src.shape, .dst = dst.shape, .plan = op.plan},
         [&] { backend_.conv_forward_gated(op, weights, src, gate, dst, scratch); });
  }
  auto plan_expand_depthwise(const conv_problem* expand, const conv_problem& depthwise,
                             activation act) const requires fuses_mbconv<B> {
    std::vector<planned_conv> convs;
    if (expand != nullptr) convs.push_back({*expand, {.before = act}});
    convs.push_back({depthwise, {.before = act}});
    return planned(backend_.plan_expand_depthwise(expand, depthwise, act), std::move(convs));
  }
  template <class Op>
  void expand_depthwise_forward(const Op& op, const packed* expand, const packed& depthwise,
                                const_tensor_view src, tensor_view dst, float* means,
                                std::byte* scratch) const requires fuses_mbconv<B> {
    time({.op = "expand_depthwise", .src = src.shape, .dst = dst.shape, .plan = op.plan}, [&] {
      backend_.expand_depthwise_forward(op, expand, depthwise, src, dst, means, scratch);
    });
  }

  auto plan_squeeze_excite(const conv_problem& squeeze, const conv_problem& excite,
                           activation act) const requires fuses_squeeze_excite<B> {
    return planned(backend_.plan_squeeze_excite(squeeze, excite, act),
                   {{squeeze, {.before = act}}, {excite, {.before = activation::sigmoid}}});
  }
  template <class Op>
  void squeeze_excite_forward(const Op& op, const packed& squeeze, const packed& excite,
                              const_tensor_view means,
                              tensor_view gate) const requires fuses_squeeze_excite<B> {
    time({.op = "squeeze_excite", .src = means.shape, .dst = gate.shape, .plan = op.plan},
         [&] { backend_.squeeze_excite_forward(op, squeeze, excite, means, gate); });
  }

  void activation_forward(activation act, const_tensor_view src, tensor_view dst) const {
    time({.op = "activation", .src = src.shape, .dst = dst.shape, .act = act},
         [&] { backend_.activation_forward(act, src, dst); });
  }
  void add_forward(const_tensor_view a, const_tensor_view b, tensor_view dst) const {
    time({.op = "add", .src = a.shape, .dst = dst.shape}, [&] { backend_.add_forward(a, b, dst); });
  }
  void scale_channels_forward(const_tensor_view src, const_tensor_view gate,
                              tensor_view dst) const {
    time({.op = "scale_channels", .src = src.shape, .dst = dst.shape},
         [&] { backend_.scale_channels_forward(src, gate, dst); });
  }
  void global_pool_forward(const_tensor_view src, tensor_view dst) const {
    time({.op = "global_pool", .src = src.shape, .dst = dst.shape},
         [&] { backend_.global_pool_forward(src, dst); });
  }
  void max_pool_forward(const max_pool_problem& problem, const_tensor_view src,
                        tensor_view dst) const {
    time({.op = "max_pool", .src = src.shape, .dst = dst.shape},
         [&] { backend_.max_pool_forward(problem, src, dst); });
  }

 private:
  template <class Run>
  void time(op_record op, Run&& run) const {
    profile_->time(std::move(op), [&] {
      run();
      if constexpr (requires { backend_.wait(); }) backend_.wait();
    });
  }
  /// `op` with its plan: the convolutions that it runs, in the order of the network's layers.
  template <class Op>
  profiled_op<Op> planned(Op op, std::vector<planned_conv> convs) const {
    op_plan plan{.convs = std::move(convs),
                 .implementation = std::string(op.implementation()),
                 .reason = {}};
    if constexpr (requires { std::string(op.reason()); }) plan.reason = std::string(op.reason());
    return {std::move(op), profile_->add_plan(std::move(plan))};
  }

  B backend_;
  std::shared_ptr<op_profile> profile_;
};

}  // namespace effnet
