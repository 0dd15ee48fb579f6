#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <effnet/nn/trained_tensors.hpp>

namespace effnet {

/// The weights of layers in the layouts of kernels, packed again when they have changed. Plans of
/// different image sizes share a copy where their kernels agree on the layout; a copy that no plan
/// uses any more is freed.
template <class Op, class Packed>
class trained_copies {
 public:
  using layout_type = std::remove_cvref_t<decltype(std::declval<const Op&>().layout())>;

  struct copy {
    layout_type layout;
    Packed packed;
    std::uint64_t version;
  };

  explicit trained_copies(std::size_t layers) : layers_(layers) {}

  /// The copy of layer `index` in the layout of `op`; `make()` packs it first where there is none.
  template <class Make>
  std::shared_ptr<copy> find(std::size_t index, const Op& op, const Make& make) {
    std::vector<std::weak_ptr<copy>>& known = layers_[index];
    std::erase_if(known, [](const auto& one) { return one.expired(); });
    for (const auto& one : known)
      if (std::shared_ptr<copy> found = one.lock(); found->layout == op.layout()) return found;
    auto made = std::make_shared<copy>(copy{op.layout(), make(), 0});
    known.push_back(made);
    return made;
  }

 private:
  std::vector<std::vector<std::weak_ptr<copy>>> layers_;
};

}  // namespace effnet
