#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <effnet/core/aligned_buffer.hpp>
#include <effnet/cpu/data_gradient.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/trained_convolution.hpp>
#include <effnet/cpu/weight_gradient.hpp>

/// Convolutions whose results do not depend on the number of threads: the batch in fixed equal
/// parts, each of them on one thread. oneDNN shares a whole batch out in ways that depend on it.
namespace effnet::cpu {

namespace detail {

constexpr int most_parts = 8;

/// Parts of a batch: the largest divisor up to `most_parts`, so that all are alike.
constexpr int parts_of(int images) {
  for (int parts = most_parts; parts > 1; --parts)
    if (images % parts == 0) return parts;
  return 1;
}

constexpr std::size_t aligned_bytes(std::size_t bytes) {
  return rounded_up(bytes, aligned_buffer::alignment);
}

/// The same op for every part, or one for the whole batch.
template <class Op>
class part_ops {
 public:
  template <class Make>
  part_ops(const conv_problem& whole, bool fixed, const Make& make) {
    if (!fixed) {
      ops_.push_back(make(whole));
      return;
    }
    const thread_scope one(1);
    conv_problem part = whole;
    const int count = parts_of(whole.src.n);
    part.src.n = whole.src.n / count;
    for (int i = 0; i < count; ++i) ops_.push_back(make(part));
    images_ = part.src.n;
    src_step_ = part.src.elements();
    dst_step_ = part.dst().elements();
    alone_ = true;
  }

  const Op& first() const { return ops_.front(); }
  std::size_t count() const { return ops_.size(); }
  std::size_t src_step() const { return src_step_; }
  std::size_t dst_step() const { return dst_step_; }

  /// A part's images of what is still to be normalised.
  normalised src_of(const normalised& whole, std::size_t part) const {
    if (!alone_) return whole;
    normalised some = whole;
    const std::size_t before = part * static_cast<std::size_t>(images_);
    some.src.data += part * src_step_;
    some.src.shape.n = images_;
    if (some.gate != nullptr) some.gate += before * static_cast<std::size_t>(some.src.shape.c);
    if (some.keep != nullptr) some.keep += before;
    return some;
  }

  /// Calls `run(op, part)` for every part, on as many threads as there are.
  template <class Run>
  void for_each(const Run& run) const {
    if (!alone_) {
      run(ops_.front(), std::size_t{0});
      return;
    }
    parallel_items_apart(ops_.size(),
                         [&](std::size_t, std::size_t part) { run(ops_[part], part); });
  }

 private:
  std::vector<Op> ops_;
  int images_ = 0;
  std::size_t src_step_ = 0, dst_step_ = 0;
  bool alone_ = false;
};

}  // namespace detail

/// `trained_convolution` of a whole batch, or of its fixed parts.
class convolution_of_parts {
 public:
  convolution_of_parts(const conv_problem& problem, const epilogue& then,
                       const cpu_options& options, bool fixed, bool normalised_src = false)
      : ops_(problem, fixed, [&](const conv_problem& p) {
          return trained_convolution(p, then, options, normalised_src);
        }) {}

  std::size_t scratch_bytes() const {
    return ops_.count() * detail::aligned_bytes(ops_.first().scratch_bytes());
  }
  weight_layout layout() const { return ops_.first().layout(); }
  std::string_view implementation() const { return ops_.first().implementation(); }
  std::string_view reason() const { return ops_.first().reason(); }
  packed_weights pack(const float* oihw, const float* bias) const {
    return ops_.first().pack(oihw, bias);
  }
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    ops_.first().repack(oihw, bias, packed);
  }
  bool reads_normalised() const { return ops_.first().reads_normalised(); }
  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    ops_.for_each([&](const trained_convolution& op, std::size_t part) {
      op.forward(packed, src + part * ops_.src_step(), dst + part * ops_.dst_step(),
                 scratch + part * detail::aligned_bytes(op.scratch_bytes()));
    });
  }
  void forward(const packed_weights& packed, const normalised& src, float* dst,
               std::byte* scratch) const {
    ops_.for_each([&](const trained_convolution& op, std::size_t part) {
      op.forward(packed, ops_.src_of(src, part), dst + part * ops_.dst_step(),
                 scratch + part * detail::aligned_bytes(op.scratch_bytes()));
    });
  }

 private:
  detail::part_ops<trained_convolution> ops_;
};

/// `data_gradient`, the same way.
class data_gradient_of_parts {
 public:
  data_gradient_of_parts(const conv_problem& problem, const cpu_options& options, bool fixed)
      : ops_(problem, fixed, [&](const conv_problem& p) { return data_gradient(p, options); }) {}

  std::size_t scratch_bytes() const {
    return ops_.count() * detail::aligned_bytes(ops_.first().scratch_bytes());
  }
  weight_layout layout() const { return ops_.first().layout(); }
  std::string_view implementation() const { return ops_.first().implementation(); }
  packed_weights pack(const float* oihw) const { return ops_.first().pack(oihw); }
  void repack(const float* oihw, packed_weights& packed) const {
    ops_.first().repack(oihw, packed);
  }
  void run(const packed_weights& packed, const float* diff_dst, float* diff_src,
           std::byte* scratch) const {
    ops_.for_each([&](const data_gradient& op, std::size_t part) {
      op.run(packed, diff_dst + part * ops_.dst_step(), diff_src + part * ops_.src_step(),
             scratch + part * detail::aligned_bytes(op.scratch_bytes()));
    });
  }

 private:
  detail::part_ops<data_gradient> ops_;
};

/// `weight_gradient`; the gradients of the parts are added in their order.
class weight_gradient_of_parts {
 public:
  weight_gradient_of_parts(const conv_problem& problem, bool bias, const cpu_options& options,
                           bool fixed, bool normalised_src = false)
      : ops_(problem, fixed,
             [&](const conv_problem& p) {
               return weight_gradient(p, bias, options, normalised_src);
             }),
        weights_(problem.weights()),
        biases_(bias ? static_cast<std::size_t>(problem.out) : 0) {}

  std::size_t scratch_bytes() const {
    if (ops_.count() == 1) return ops_.first().scratch_bytes();
    return ops_.count() * (own_bytes() + detail::aligned_bytes(ops_.first().scratch_bytes()));
  }
  std::string_view implementation() const { return ops_.first().implementation(); }

  bool reads_normalised() const { return ops_.first().reads_normalised(); }
  void run(const float* src, const float* diff_dst, float* diff_oihw, float* diff_bias,
           std::byte* scratch) const {
    run_parts(diff_oihw, diff_bias, scratch,
              [&](const weight_gradient& op, std::size_t part, float* to, float* to_bias,
                  std::byte* own) {
                op.run(src + part * ops_.src_step(), diff_dst + part * ops_.dst_step(), to, to_bias,
                       own);
              });
  }
  void run(const normalised& src, const float* diff_dst, float* diff_oihw,
           std::byte* scratch) const {
    run_parts(diff_oihw, nullptr, scratch,
              [&](const weight_gradient& op, std::size_t part, float* to, float*, std::byte* own) {
                op.run(ops_.src_of(src, part), diff_dst + part * ops_.dst_step(), to, own);
              });
  }

 private:
  /// Calls `run(op, part, diff_oihw, diff_bias, scratch)` and adds up what the parts give.
  template <class Run>
  void run_parts(float* diff_oihw, float* diff_bias, std::byte* scratch, const Run& run) const {
    if (ops_.count() == 1) {
      ops_.for_each([&](const weight_gradient& op, std::size_t part) {
        run(op, part, diff_oihw, diff_bias, scratch);
      });
      return;
    }
    const std::size_t bytes = own_bytes() + detail::aligned_bytes(ops_.first().scratch_bytes());
    const auto own = [&](std::size_t part) {
      return reinterpret_cast<float*>(scratch + part * bytes);
    };
    ops_.for_each([&](const weight_gradient& op, std::size_t part) {
      run(op, part, own(part), biases_ > 0 ? own(part) + weights_ : nullptr,
          scratch + part * bytes + own_bytes());
    });
    const auto add = [&](std::size_t from, std::size_t count, float* to) {
      parallel_ranges(count, ops_.count(), [&](std::size_t first, std::size_t last) {
        std::copy(own(0) + from + first, own(0) + from + last, to + first);
        for (std::size_t part = 1; part < ops_.count(); ++part)
          for (std::size_t i = first; i < last; ++i) to[i] += own(part)[from + i];
      });
    };
    add(0, weights_, diff_oihw);
    add(weights_, biases_, diff_bias);
  }
  /// A part's gradient of weights and bias.
  std::size_t own_bytes() const {
    return detail::aligned_bytes((weights_ + biases_) * sizeof(float));
  }

  detail::part_ops<weight_gradient> ops_;
  std::size_t weights_, biases_;
};

}  // namespace effnet::cpu
