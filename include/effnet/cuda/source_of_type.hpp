#pragma once

#include <effnet/core/tensor_view.hpp>
#include <effnet/cuda/element_functions.hpp>

namespace effnet::cuda {

/// All numbers of a tensor, of type `T`.
template <class T>
global_span<const T> span_of(const_tensor_view t) {
  return {reinterpret_cast<const T*>(t.data), t.shape.elements()};
}
template <class T>
global_span<T> span_of(tensor_view t) {
  return {reinterpret_cast<T*>(t.data), t.shape.elements()};
}

/// Throws `backend_error` unless an op's tensors are of one type.
inline void check_types(dtype src, dtype dst) {
  if (src != dst)
    throw backend_error(
        sentence("an op cannot read ", name_of(src), " and write ", name_of(dst), " maps"));
}

/// A tensor in the type that an op reads: itself, or a converted copy that lives until the op has
/// run. Images come in as floats.
template <class D>
class source_of_type {
 public:
  source_of_type(const D& on, const_tensor_view src, dtype type)
      : copy_(on, src.type == type ? 0 : src.shape.elements() * size_of(type)), view_(src) {
    if (src.type == type) return;
    check_types(src.type, dtype::f32);
    const tensor_view copy{reinterpret_cast<float*>(copy_.data()), src.shape, type};
    with_stored_type(type, [&]<class T>() {
      on.for_each_index(src.shape.elements(),
                        convert_elements<T>{span_of<float>(src), span_of<T>(copy)});
    });
    view_ = copy;
  }

  const_tensor_view view() const { return view_; }

 private:
  typename D::temporary copy_;
  const_tensor_view view_;
};

}  // namespace effnet::cuda
