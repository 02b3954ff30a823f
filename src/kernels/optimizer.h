// The arithmetic of one optimiser step, element by element, and the rows of a table that missed some steps.
// Within a backend both are done with the same roundings, so that a row brought up to date later holds the
// same bits as one that took every step. (The fused order below is the fast backend's.)
#pragma once

#include <cstdint>
#include <span>

#include "kernels/array.h"

namespace rondo {

/// One step of an optimiser on one parameter of float32, elementwise. Formulas as torch.optim:
///   g = scale*gradient, and but for AdamW g = fma(weight_decay, p, g)
///   sgd      b = fma(momentum, b, g)                                  p = fma(-rate, b, p)
///   adam     m = fma(beta1, m, (1-beta1)*g)
///            v = fma(beta2, v, ((1-beta2)*g)*g)
///            p = keep*p (AdamW alone)                                 p = fma(-rate', m/d, p)
///            d = fma(sqrt(v), correction, epsilon)
///   rmsprop  v = fma(alpha, v, ((1-alpha)*g)*g)                       p = fma(-rate, g/(sqrt(v)+epsilon), p)
///   adagrad  v = fma(g, g, v)                                         p = fma(-rate, g/(sqrt(v)+epsilon), p)
/// with the numbers of OptimizerNumbers; sgd without `first` uses g for b.
/// Sources: Kingma & Ba 2015 (Adam); Loshchilov & Hutter 2019 (AdamW); Tieleman & Hinton 2012 (RMSprop);
/// Duchi, Hazan & Singer 2011 (Adagrad).
struct OptimizerStep {
  enum class Rule { kSgd, kAdam, kAdamW, kRmsprop, kAdagrad };
  Rule rule = Rule::kAdam;
  Matrix parameter;
  ConstMatrix gradient;
  Matrix first;   ///< momentum (sgd), m (adam); else empty
  Matrix second;  ///< v (adam), square average (rmsprop), sum of squares (adagrad); else empty
  double rate = 1e-3;
  double momentum = 0;  ///< sgd
  double beta1 = 0.9, beta2 = 0.999;
  double alpha = 0.99;  ///< rmsprop
  double epsilon = 1e-8;
  double weight_decay = 0;
  double scale = 1;
  int64_t step = 1;  ///< 1 at the first update: bias corrections of adam
};

/// What a step does not compute anew for each element: worked out in double, rounded to float once.
struct OptimizerNumbers {
  float rate = 0;        ///< adam: rate / (1 - beta1^step)
  float keep = 1;        ///< adamw: 1 - rate*weight_decay
  float correction = 1;  ///< adam: 1 / sqrt(1 - beta2^step)
  float decay1 = 0;      ///< momentum, beta1
  float decay2 = 0;      ///< beta2, alpha
  float share1 = 0;      ///< 1 - beta1
  float share2 = 0;      ///< 1 - beta2, 1 - alpha
  float epsilon = 0;
  float weight_decay = 0;  ///< added to the gradient; 0 for adamw
  float scale = 1;
};

OptimizerNumbers numbers_of(const OptimizerStep& step);

/// Whether, with no gradient, an element's update in the step of `after` is smaller than in the one of
/// `before`, relative to the element: then a change that has become too small for float stays so.
/// Adam's update is rate * m / (sqrt(v)*correction + epsilon); from one step to the next m falls by beta1 and
/// the denominator by no more than sqrt(beta2) * correction'/correction, so their quotient decides.
bool shrinks(const OptimizerNumbers& before, const OptimizerNumbers& after);

/// A step that rows of a table may have missed.
struct PastStep {
  double rate = 0;
  OptimizerNumbers numbers;
};

/// The steps with zero gradient that some rows of a table missed.
struct OptimizerCatchUp {
  OptimizerStep table;             ///< [V, D] each, no gradient; `step` is the last step to make up for
  std::span<const int32_t> rows;   ///< rising, each once
  std::span<const int64_t> done;   ///< [rows] the last step that each has seen
  std::span<const PastStep> past;  ///< past.back() is step `table.step`; holds all that were missed
  int64_t shrinking_from = 0;      ///< from this step on each later one shrinks() in turn
};

}  // namespace rondo
