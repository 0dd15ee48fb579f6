#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include <effnet/cuda/launch_shape.hpp>
#include <effnet/cuda/shared_memory.hpp>
#include <effnet/cuda/warp.hpp>

namespace effnet::cuda {

/// A kernel: its arguments, how it is started, and what a thread does between barriers. A device
/// runs it through `launch`, the processor block by block through `block_driver`, from this one
/// text.
///
///   name                     what profiles and faults call it
///   most_threads             a block has no more, whatever the arguments
///   registers                what a thread keeps from one phase to the next
///   shape()                  grid, block and shared memory, from the arguments
///   phases()                 how many phases there are, one barrier between two; the same for all
///                            threads
///   run(phase, at, own, shared)    EFFNET_HD: one thread's part of one phase
///   run_warp(phase, warp, shared)  EFFNET_HD, where there is one: what a warp does behind it
template <class K>
concept kernel = std::is_trivially_copyable_v<K> &&
    requires(const K& k, const thread_place& at, typename K::registers& own,
             const shared_memory& shared) {
  { K::name } -> std::convertible_to<std::string_view>;
  { K::most_threads } -> std::convertible_to<unsigned>;
  requires std::default_initializable<typename K::registers>;
  { k.shape() } -> std::same_as<launch_shape>;
  { k.phases() } -> std::same_as<int>;
  k.run(int{}, at, own, shared);
};

/// Whose warps do something together; its blocks are of whole warps.
template <class K>
concept warp_kernel = kernel<K> &&
    requires(const K& k, const warp<typename K::registers>& together, const shared_memory& shared) {
  k.run_warp(int{}, together, shared);
};

/// For threads that keep nothing.
struct no_registers {};

}  // namespace effnet::cuda
