#pragma once

#include <memory>
#include <utility>

#include <effnet/arch/count.hpp>
#include <effnet/nn/session.hpp>

namespace effnet {

/// A network whose table is known when the program runs: loaded once, immutable after that, used
/// through sessions. Copies share the weights.
template <backend B>
class dynamic_network {
 public:
  /// Takes `from` with its table and convention; throws `spec_error` or `weight_error` where they
  /// do not fit together.
  explicit dynamic_network(weights from, B on = {})
      : state_(std::make_shared<const network_state<B>>(std::move(from), std::move(on))) {}

  const network_spec& spec() const { return state_->spec(); }
  const convention& rule() const { return state_->stored().rule; }
  const std::vector<std::string>& labels() const { return state_->stored().labels; }
  /// The tensors as they were stored.
  const weights& stored() const { return state_->stored(); }

  /// A runner for one thread of the program. It keeps what it needs of the network alive.
  session<B> make_session(const session_options& options = {}) const {
    return session<B>(state_, options);
  }

 private:
  std::shared_ptr<const network_state<B>> state_;
};

/// A network whose table is known when the program is compiled. The same code runs it; what the
/// table fixes is checked, and known, at compile time.
template <const network_spec& Spec, backend B>
class network : public dynamic_network<B> {
  static constexpr spec_violation broken = first_violation(Spec);
  static_assert(broken.rule != spec_rule::has_stages, "effnet: this table has no stages");
  static_assert(
      broken.rule != spec_rule::positive,
      "effnet: channels, repeats, kernels and sizes of a table must be at least 1, ratios "
      "within [0, 1]");
  static_assert(broken.rule != spec_rule::chains,
                "effnet: this table does not chain: a stage's .in must equal the .out of the stage "
                "before it (the first stage's: .stem)");
  static_assert(broken.rule != spec_rule::odd_kernel, "effnet: kernels of a table must be odd");
  static_assert(broken.rule != spec_rule::stride, "effnet: a stage's stride must be 1 or 2");
  static_assert(broken.rule != spec_rule::bottleneck_width,
                "effnet: a bottleneck's .out must be divisible by its .expand, and it has no .se");

 public:
  static constexpr const network_spec& table = Spec;
  static constexpr std::int64_t parameters = count_parameters(Spec);

  explicit network(weights from, B on = {})
      : dynamic_network<B>(checked(std::move(from)), std::move(on)) {}

 private:
  static weights checked(weights from) {
    if (!(from.spec == Spec))
      throw weight_error(
          sentence("these weights are for network '", std::string_view(from.spec.name), "' with ",
                   from.spec.classes, " classes, not for '", std::string_view(Spec.name), "' with ",
                   Spec.classes, "; use dynamic_network, or a table with_classes(...)"));
    return from;
  }
};

}  // namespace effnet
