#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <effnet/cpu/dnnl.hpp>

/// Running what `dnnl.hpp` describes, without allocating.
namespace effnet::cpu::detail {

/// A handle without memory: each run sets its own.
inline memory handle(const memory::desc& desc) {
  return {desc, onednn_engine(), nullptr};
}

/// The C call takes an array; the C++ one would build a map at every execution.
template <std::size_t Count>
void run(const dnnl::primitive& primitive, const std::array<dnnl_exec_arg_t, Count>& arguments,
         const conv_problem& p) {
  const dnnl_status_t status = dnnl_primitive_execute(primitive.get(), onednn_stream().get(),
                                                      static_cast<int>(Count), arguments.data());
  if (status != dnnl_success)
    throw backend_error(sentence("oneDNN ", onednn_version(), " failed with status ",
                                 static_cast<int>(status), " in a convolution from ",
                                 to_string(p.src), " to ", to_string(p.dst())));
}

/// A primitive with a handle for each of its arguments, `DNNL_ARG_...`, and for its scratchpad. The
/// handles are its own: two threads use two.
template <int... Arguments>
class planned_primitive {
 public:
  planned_primitive(const conv_problem& problem, const dnnl::primitive_desc_base& pd)
      : problem_(problem),
        primitive_(pd.get()),
        implementation_(pd.impl_info_str()),
        scratch_bytes_(pd.scratchpad_desc().get_size()),
        handles_{handle(pd.query_md(dnnl::query::exec_arg_md, Arguments))...,
                 handle(pd.scratchpad_desc())} {}

  std::string_view implementation() const { return implementation_; }
  memory::desc desc_of(int argument) const {
    constexpr std::array all{Arguments...};
    return handles_[static_cast<std::size_t>(std::find(all.begin(), all.end(), argument) -
                                             all.begin())]
        .get_desc();
  }
  std::size_t scratch_bytes() const { return scratch_bytes_; }

  /// One pointer an argument, then the scratchpad.
  void run(const std::array<const void*, sizeof...(Arguments) + 1>& pointers) const {
    std::array<dnnl_exec_arg_t, sizeof...(Arguments) + 1> arguments{
        {{Arguments, nullptr}..., {DNNL_ARG_SCRATCHPAD, nullptr}}};
    for (std::size_t i = 0; i < pointers.size(); ++i) {
      handles_[i].set_data_handle(const_cast<void*>(pointers[i]));
      arguments[i].memory = handles_[i].get();
    }
    detail::run(primitive_, arguments, problem_);
  }

 private:
  conv_problem problem_;
  dnnl::primitive primitive_;
  std::string implementation_;
  std::size_t scratch_bytes_;
  mutable std::array<memory, sizeof...(Arguments) + 1> handles_;
};

/// Weights of a problem between the project's layout and a kernel's. The primitive is made when it
/// is first needed: most inference plans find their weights packed.
class weight_reorder {
 public:
  weight_reorder(const conv_problem& problem, const memory::desc& kernels)
      : problem_(problem), plain_(handle(plain_weights(problem))), kernels_(handle(kernels)) {}

  const memory::desc& layout() const { return layout_; }
  std::size_t bytes() const { return layout_.get_size(); }

  void pack(const float* oihw, void* to) const {
    run(pack_, plain_, const_cast<float*>(oihw), kernels_, to);
  }
  void unpack(const void* from, float* oihw) const {
    run(unpack_, kernels_, const_cast<void*>(from), plain_, oihw);
  }

 private:
  void run(dnnl::primitive& primitive, memory& from, void* source, memory& to, void* target) const {
    if (!primitive) primitive = dnnl::reorder(from, to);
    from.set_data_handle(source);
    to.set_data_handle(target);
    const std::array<dnnl_exec_arg_t, 2> arguments{
        {{DNNL_ARG_FROM, from.get()}, {DNNL_ARG_TO, to.get()}}};
    detail::run(primitive, arguments, problem_);
  }

  conv_problem problem_;
  mutable memory plain_, kernels_;
  memory::desc layout_ = kernels_.get_desc();
  mutable dnnl::primitive pack_, unpack_;
};

}  // namespace effnet::cpu::detail
