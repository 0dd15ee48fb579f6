#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

#include <effnet/cuda/products.hpp>

namespace effnet::cuda {

/// What `gpu_backend` runs on: memory and kernels, in the order of the calls.
///
///   buffer                        as a backend's
///   host_memory                   whether the processor reaches it
///   temporary(on, bytes)          memory for what is called until it ends; data()
///   upload(host, memory, bytes), download(memory, host, bytes)
///   copy(from, memory, bytes)     from either side
///   wait()                        until all calls so far are done
///   require(products)             throws `backend_error` where it cannot multiply so
///   for_each_index(count, function)    function(i) for every i below `count`, in any order
///   run(kernel)
///   record(body) -> graph         what body() asks of the device from this thread, which is not
///                                 done yet; it may not upload, download or wait. Temporaries live
///                                 as long as the graph, or within it
///   replay(graph)
///
/// Libraries that it may have beside: device_libraries.hpp.
template <class D>
concept device = std::copyable<D> &&
    requires(const D on, const typename D::buffer memory, const float* host, float* to,
             void (*body)(), const typename D::graph& recorded) {
  { D::name() } -> std::convertible_to<std::string_view>;
  { D::host_memory } -> std::convertible_to<bool>;
  requires std::constructible_from<typename D::buffer, std::size_t>;
  { memory.data() } -> std::same_as<std::byte*>;
  { typename D::temporary(on, std::size_t{}).data() } -> std::same_as<std::byte*>;
  on.upload(host, to, std::size_t{});
  on.download(host, to, std::size_t{});
  on.copy(host, to, std::size_t{});
  on.wait();
  on.require(products::fp32);
  { on.record(body) } -> std::same_as<typename D::graph>;
  on.replay(recorded);
};

}  // namespace effnet::cuda
