#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <effnet/math/update.hpp>
#include <effnet/train/setting_error.hpp>

namespace effnet {

/// What an optimizer has to know about a step of one tensor besides the tensor itself.
struct optimizer_step {
  double learning_rate = 0;
  std::int64_t steps_done = 0;  ///< before this one
  bool decays = true;           ///< whether weight decay applies to this tensor: see `decay_set`
};

/// Per-element memory of an optimizer for one tensor: `Count` arrays as long as the tensor.
template <std::size_t Count>
using optimizer_slots = std::array<std::span<float>, Count>;

namespace detail {

template <std::size_t Count>
void check_lengths(std::span<float> values, std::span<const float> gradients,
                   const optimizer_slots<Count>& slots) {
  if (gradients.size() != values.size())
    throw shape_error(sentence("a tensor of ", values.size(), " elements was given ",
                               gradients.size(), " gradients"));
  for (const std::span<float>& slot : slots)
    if (slot.size() != values.size())
      throw shape_error(sentence("a tensor of ", values.size(), " elements was given ", slot.size(),
                                 " elements of optimizer state"));
}

/// A step of one tensor, element by element.
template <class Rule, std::size_t Count>
void step_tensor(const Rule& rule, std::span<float> values, std::span<const float> gradients,
                 const optimizer_slots<Count>& slots, const optimizer_step& at) {
  check_lengths(values, gradients, slots);
  std::array<float*, 1 + Count> changed{values.data()};
  for (std::size_t s = 0; s < Count; ++s) changed[1 + s] = slots[s].data();
  math::for_each_element(changed, gradients.data(), values.size(), rule.element_step(at));
}

inline void check_share(const char* optimizer, const char* name, double share) {
  if (!(share >= 0 && share < 1))
    throw setting_error(
        sentence(optimizer, ": ", name, " is ", share, "; it has to lie in [0, 1)"));
}

inline void check_not_negative(const char* optimizer, const char* name, double value) {
  if (!(value >= 0 && std::isfinite(value)))
    throw setting_error(
        sentence(optimizer, ": ", name, " is ", value, "; it has to be finite and at least 0"));
}

}  // namespace detail

/// An optimizer: plain settings, how much memory it wants per element, and a step over one tensor.
/// It keeps nothing itself: its slots belong to the caller, who saves and restores them. What a
/// step does to an element, `element_step(step)(x, gradient)`, changes x = {value, slots...}, on
/// whatever device it is called.
template <class Type>
concept optimizer = std::copyable<Type> && std::equality_comparable<Type> &&
    requires(const Type rule, std::span<float> values, std::span<const float> gradients,
             const optimizer_slots<Type::slot_count>& slots, const optimizer_step& step) {
  { Type::name } -> std::convertible_to<std::string_view>;
  { Type::slot_count } -> std::convertible_to<std::size_t>;
  { Type::initial_slots[0] } -> std::convertible_to<float>;
  rule.step(values, gradients, slots, step);
  rule.element_step(step);
  rule.check();
};

/// Stochastic gradient descent with momentum. `weight_decay` is coupled (added to the gradient).
struct sgd {
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0;

  static constexpr std::string_view name = "sgd";
  static constexpr std::size_t slot_count = 1;
  static constexpr std::array<float, slot_count> initial_slots = {0};  ///< momentum

  EFFNET_HD auto element_step(const optimizer_step& at) const {
    const float rate = static_cast<float>(at.learning_rate);
    const float mu = static_cast<float>(momentum);
    const float decay = at.decays ? static_cast<float>(weight_decay) : 0;
    const bool ahead = nesterov;
    return [=](auto& x, const auto& gradient) {
      math::sgd(x[0], x[1], math::with_weight_decay(gradient, x[0], decay), rate, mu, ahead);
    };
  }
  void step(std::span<float> values, std::span<const float> gradients,
            const optimizer_slots<slot_count>& slots, const optimizer_step& at) const {
    detail::step_tensor(*this, values, gradients, slots, at);
  }

  /// Throws `setting_error` where a setting makes no sense.
  void check() const {
    detail::check_share("sgd", "momentum", momentum);
    detail::check_not_negative("sgd", "weight_decay", weight_decay);
  }

  friend bool operator==(const sgd&, const sgd&) = default;
};

/// RMSProp exactly as TensorFlow's (see `math::rmsprop`), with the settings of the EfficientNet
/// papers' code. `weight_decay` is coupled. google/automl's main_tf2.py starts the mean square at 0
/// instead of 1; the first steps are then far larger.
struct rmsprop {
  double decay = 0.9;  ///< how much of the old mean square is kept
  double momentum = 0.9;
  double epsilon = 0.001;
  double weight_decay = 0;

  static constexpr std::string_view name = "rmsprop";
  static constexpr std::size_t slot_count = 2;
  static constexpr std::array<float, slot_count> initial_slots = {1, 0};  ///< mean square, momentum

  EFFNET_HD auto element_step(const optimizer_step& at) const {
    const float rate = static_cast<float>(at.learning_rate);
    const float rho = static_cast<float>(decay);
    const float mu = static_cast<float>(momentum);
    const float eps = static_cast<float>(epsilon);
    const float penalty = at.decays ? static_cast<float>(weight_decay) : 0;
    return [=](auto& x, const auto& gradient) {
      math::rmsprop(x[0], x[1], x[2], math::with_weight_decay(gradient, x[0], penalty), rate, rho,
                    mu, eps);
    };
  }
  void step(std::span<float> values, std::span<const float> gradients,
            const optimizer_slots<slot_count>& slots, const optimizer_step& at) const {
    detail::step_tensor(*this, values, gradients, slots, at);
  }

  /// Throws `setting_error` where a setting makes no sense.
  void check() const {
    detail::check_share("rmsprop", "decay", decay);
    detail::check_share("rmsprop", "momentum", momentum);
    detail::check_not_negative("rmsprop", "epsilon", epsilon);
    detail::check_not_negative("rmsprop", "weight_decay", weight_decay);
  }

  friend bool operator==(const rmsprop&, const rmsprop&) = default;
};

/// Adam with decoupled weight decay, as PyTorch's AdamW: a step shrinks a decaying tensor by
/// learning rate * weight_decay, which is why its usual weight decay is far larger.
struct adamw {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;

  static constexpr std::string_view name = "adamw";
  static constexpr std::size_t slot_count = 2;
  static constexpr std::array<float, slot_count> initial_slots = {0, 0};  ///< mean, mean square

  EFFNET_HD auto element_step(const optimizer_step& at) const {
    const double t = static_cast<double>(at.steps_done) + 1;
    const math::adamw_step all{
        .rate = static_cast<float>(at.learning_rate),
        .beta1 = static_cast<float>(beta1),
        .beta2 = static_cast<float>(beta2),
        .epsilon = static_cast<float>(epsilon),
        .decay = at.decays ? static_cast<float>(weight_decay) : 0,
        .correction1 = static_cast<float>(1 - std::pow(beta1, t)),
        .correction2 = static_cast<float>(1 - std::pow(beta2, t)),
    };
    return [=](auto& x, const auto& gradient) { math::adamw(x[0], x[1], x[2], gradient, all); };
  }
  void step(std::span<float> values, std::span<const float> gradients,
            const optimizer_slots<slot_count>& slots, const optimizer_step& at) const {
    detail::step_tensor(*this, values, gradients, slots, at);
  }

  /// Throws `setting_error` where a setting makes no sense.
  void check() const {
    detail::check_share("adamw", "beta1", beta1);
    detail::check_share("adamw", "beta2", beta2);
    detail::check_not_negative("adamw", "epsilon", epsilon);
    detail::check_not_negative("adamw", "weight_decay", weight_decay);
  }

  friend bool operator==(const adamw&, const adamw&) = default;
};

static_assert(optimizer<sgd> && optimizer<rmsprop> && optimizer<adamw>);

}  // namespace effnet
