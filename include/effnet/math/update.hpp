#pragma once

#include <type_traits>

#include <effnet/math/four_floats.hpp>

/// One element of what an optimizer does in a step, or four. Each function takes the element's
/// gradient and the memory that the optimizer keeps for it ("slots"), and changes value and slots
/// in place.
namespace effnet::math {

/// Coupled weight decay: the gradient of loss + decay * value^2 / 2. It passes through whatever the
/// optimizer does to gradients (google/automl and tensorflow/tpu put the penalty into the loss).
template <class T>
EFFNET_HD T with_weight_decay(const T& gradient, const std::type_identity_t<T>& value,
                              float decay) {
  return gradient + decay * value;
}

/// Stochastic gradient descent with momentum (TensorFlow's Momentum, PyTorch's SGD without
/// dampening): the rate is outside the momentum. `momentum` starts at 0. With Nesterov the step
/// looks ahead by one: along gradient + mu * momentum.
template <class T>
EFFNET_HD void sgd(T& value, T& momentum, const std::type_identity_t<T>& gradient, float rate,
                   float mu, bool nesterov) {
  momentum = mu * momentum + gradient;
  if (nesterov)
    value -= rate * (gradient + mu * momentum);
  else
    value -= rate * momentum;
}

/// RMSProp as TensorFlow's kernel ApplyRMSProp computes it: epsilon is inside the root, and the
/// rate inside the momentum, so that a change of rate does not rescale what was gathered before.
/// `mean_square` starts at 1 (tf.compat.v1.train.RMSPropOptimizer), `momentum` at 0. PyTorch's
/// RMSprop differs in all three.
template <class T>
EFFNET_HD void rmsprop(T& value, T& mean_square, T& momentum,
                       const std::type_identity_t<T>& gradient, float rate, float rho, float mu,
                       float epsilon) {
  mean_square += (1 - rho) * (gradient * gradient - mean_square);
  momentum = mu * momentum + rate * gradient / root(mean_square + epsilon);
  value -= momentum;
}

/// What AdamW needs of a step, the same for every element.
struct adamw_step {
  float rate;          ///< learning rate
  float beta1, beta2;  ///< how much of the old means is kept
  float epsilon;       ///< outside the root
  float decay;         ///< decoupled: the value shrinks by rate * decay, whatever the gradient
  float correction1;   ///< 1 - beta1^t, where t counts steps from 1
  float correction2;   ///< 1 - beta2^t
};

/// Adam with decoupled weight decay (Loshchilov, Hutter 2019, algorithm 2, as PyTorch's AdamW: the
/// decay is multiplied by the rate). `mean` and `mean_square` start at 0.
template <class T>
EFFNET_HD void adamw(T& value, T& mean, T& mean_square, const std::type_identity_t<T>& gradient,
                     const adamw_step& s) {
  value -= s.rate * s.decay * value;
  mean += (1 - s.beta1) * (gradient - mean);
  mean_square += (1 - s.beta2) * (gradient * gradient - mean_square);
  const T bound = root(mean_square / s.correction2) + s.epsilon;
  value -= s.rate / s.correction1 * mean / bound;
}

/// Exponential moving average: `shadow` keeps `decay` of itself. Takes 1 - decay, which a caller
/// computes in double: 1 - 0.9999 in float is off by 2e-4 of itself.
EFFNET_HD inline void moving_average(float& shadow, float value, float one_minus_decay) {
  shadow += one_minus_decay * (value - shadow);
}

}  // namespace effnet::math
