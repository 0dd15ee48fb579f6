#pragma once

#include <concepts>
#include <cstddef>
#include <memory_resource>

#include <effnet/cuda/device.hpp>

namespace effnet::cuda {

/// A device with a second order of calls beside its own, for copies while it computes:
///
///   upload_lane(on)
///   host_memory()                 from where copies do not hold up the processor
///   upload(host, memory, bytes)   behind the lane's calls so far; the processor goes on at once,
///                                 and `host` must stay until wait()
///   after(on)                     the lane's later calls run after the device's so far
///   before(on)                    the device's later calls run after the lane's so far
///   wait()                        until all of the lane's calls so far are done
template <class D>
concept uploading_device = device<D> &&
    requires(typename D::upload_lane lane, const D on, const std::byte* host, std::byte* memory) {
  requires std::constructible_from<typename D::upload_lane, const D&>;
  { D::upload_lane::host_memory() } -> std::same_as<std::pmr::memory_resource*>;
  lane.upload(host, memory, std::size_t{});
  lane.after(on);
  lane.before(on);
  lane.wait();
};

}  // namespace effnet::cuda
