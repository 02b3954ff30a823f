// The rules as torch.optim computes them. p parameter, g gradient, a rate, t step from 1; b1, b2 betas:
//   g = scale * gradient + weight_decay * p            (adamw: p -= a * weight_decay * p instead)
//   sgd      buf = momentum*buf + g;                   p -= a * buf      (buf starts at zero: first buf = g)
//   adam(w)  m = b1*m + (1-b1)*g; v = b2*v + (1-b2)*g^2;
//            p -= a/(1-b1^t) * m / (sqrt(v)/sqrt(1-b2^t) + epsilon)
//   rmsprop  v = alpha*v + (1-alpha)*g^2;              p -= a * g / (sqrt(v) + epsilon)
//   adagrad  v = v + g^2;                              p -= a * g / (sqrt(v) + epsilon)
// Sources: Polyak 1964; Kingma & Ba 2015; Loshchilov & Hutter 2019; Tieleman & Hinton 2012; Duchi et al.
// 2011.
#include "kernels/reference/checks.h"
#include "kernels/reference/reference_backend.h"
#include "kernels/reference/view.h"

namespace rondo {
namespace {

using Rule = OptimizerStep::Rule;

/// The coefficients in the type that computes, rounded once.
template <class T>
struct Coefficients {
  T rate, momentum, beta1, beta2, one_less_beta1, one_less_beta2, alpha, one_less_alpha;
  T epsilon, weight_decay, scale, correction1, root_correction2, shrink;

  explicit Coefficients(const OptimizerStep& s)
      : rate(T(s.rate)),
        momentum(T(s.momentum)),
        beta1(T(s.beta1)),
        beta2(T(s.beta2)),
        one_less_beta1(T(1 - s.beta1)),
        one_less_beta2(T(1 - s.beta2)),
        alpha(T(s.alpha)),
        one_less_alpha(T(1 - s.alpha)),
        epsilon(T(s.epsilon)),
        weight_decay(T(s.weight_decay)),
        scale(T(s.scale)),
        correction1(T(s.rate / (1 - std::pow(s.beta1, static_cast<double>(s.step))))),
        root_correction2(T(std::sqrt(1 - std::pow(s.beta2, static_cast<double>(s.step))))),
        shrink(T(1 - s.rate * s.weight_decay)) {}
};

template <class T>
void adam(const Coefficients<T>& k, T g, T& p, T& m, T& v) {
  m = k.beta1 * m + k.one_less_beta1 * g;
  v = k.beta2 * v + k.one_less_beta2 * g * g;
  p -= k.correction1 * (m / (std::sqrt(v) / k.root_correction2 + k.epsilon));
}

/// One element. `first` and `second` are null where the rule keeps no such state.
template <class T>
void update(Rule rule, const Coefficients<T>& k, T gradient, T& p, T* first, T* second) {
  T g = k.scale * gradient;
  if (rule == Rule::kAdamW) {
    p *= k.shrink;
  } else {
    g += k.weight_decay * p;
  }
  switch (rule) {
    case Rule::kSgd:
      if (first) *first = k.momentum * *first + g;
      p -= k.rate * (first ? *first : g);
      return;
    case Rule::kAdam:
    case Rule::kAdamW:
      return adam(k, g, p, *first, *second);
    case Rule::kRmsprop:
      *second = k.alpha * *second + k.one_less_alpha * g * g;
      break;
    case Rule::kAdagrad:
      *second += g * g;
      break;
  }
  p -= k.rate * (g / (std::sqrt(*second) + k.epsilon));
}

}  // namespace

using reference::Checks;
using reference::view;
using reference::View;

void ReferenceBackend::optimize(const OptimizerStep& step) {
  const Checks checks("optimize", step.parameter.type);
  const int64_t rows = step.parameter.rows, columns = step.parameter.columns;
  checks.shape("parameter", step.parameter, rows, columns);
  checks.shape("gradient", step.gradient, rows, columns);
  const bool adam = step.rule == Rule::kAdam || step.rule == Rule::kAdamW;
  const bool first = adam || (step.rule == Rule::kSgd && step.momentum != 0);
  if (first) checks.shape("first", step.first, rows, columns);
  const bool second = step.rule != Rule::kSgd;
  if (second) checks.shape("second", step.second, rows, columns);
  if (step.step < 1) throw_error<ShapeError>("optimize: step must be 1 or more, got {}", step.step);
  auto run = [&]<class T>(T) {
    const Coefficients<T> coefficients(step);
    const View<T> p = view<T>(step.parameter), m = view<T>(step.first), v = view<T>(step.second);
    const View<const T> g = view<T>(step.gradient);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        update(step.rule, coefficients, g(r, c), p(r, c), first ? &m(r, c) : nullptr,
               second ? &v(r, c) : nullptr);
      }
    }
  };
  if (step.parameter.type == DType::kFloat32) return run(float());
  if (step.parameter.type == DType::kFloat64) return run(double());
  throw_error<ShapeError>("optimize: parameter must be float32 or float64");
}

}  // namespace rondo
