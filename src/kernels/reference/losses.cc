#include <algorithm>

#include "kernels/reference/checks.h"
#include "kernels/reference/reference_backend.h"
#include "kernels/reference/view.h"

namespace rondo {
namespace {

using reference::log_one_plus;
using reference::real_part;
using reference::view;
using reference::View;

/// p[k] = exp(x[k] - m) / sum, m = max x; loss = log sum - (x[target] - m), which is -log p[target] without
/// the infinity where p[target] rounds to zero.
template <class T>
void softmax_row(View<const T> logits, int64_t n, std::span<const int32_t> targets, View<T> probabilities,
                 View<T> losses) {
  double maximum = real_part(logits(n, 0));
  for (int64_t k = 1; k < logits.columns; ++k) {
    maximum = std::max<double>(maximum, real_part(logits(n, k)));
  }
  // What the target lies below the maximum, read before probabilities may overwrite the logits.
  const T below = losses ? logits(n, targets[n]) - static_cast<T>(maximum) : T(0);
  T sum = 0;
  for (int64_t k = 0; k < logits.columns; ++k) {
    probabilities(n, k) = std::exp(logits(n, k) - static_cast<T>(maximum));
    sum += probabilities(n, k);
  }
  for (int64_t k = 0; k < logits.columns; ++k) probabilities(n, k) /= sum;
  if (losses) losses(0, n) = std::log(sum) - below;
}

/// -t log s(x) - (1-t) log(1 - s(x)) = max(x, 0) - x*t + log(1 + exp(-|x|)): exp of a number below zero only.
template <class T>
T binary_cross_entropy(T x, T target) {
  const bool positive = real_part(x) >= 0;
  return (positive ? x : T(0)) - x * target + log_one_plus(std::exp(positive ? -x : x));
}

}  // namespace

using reference::Checks;
using reference::with_scalar;

void reference::check_softmax(ConstMatrix logits, std::span<const int32_t> targets, Matrix probabilities,
                              Matrix losses) {
  const Checks checks("softmax_cross_entropy", logits.type);
  checks.shape("logits", logits, logits.rows, logits.columns);
  checks.shape("probabilities", probabilities, logits.rows, logits.columns);
  checks.optional("losses", losses, 1, logits.rows);
  if (losses) checks.ids("targets", targets, logits.rows, logits.columns);
}

void ReferenceBackend::softmax_cross_entropy(ConstMatrix logits, std::span<const int32_t> targets,
                                             Matrix probabilities, Matrix losses) {
  reference::check_softmax(logits, targets, probabilities, losses);
  if (logits.columns == 0) return;
  with_scalar("softmax_cross_entropy", logits.type, [&]<class T>(T) {
    for (int64_t n = 0; n < logits.rows; ++n) {
      softmax_row<T>(view<T>(logits), n, targets, view<T>(probabilities), view<T>(losses));
    }
  });
}

void reference::check_softmax_backward(ConstMatrix probabilities, std::span<const int32_t> targets,
                                       ConstMatrix d_losses, Matrix d_logits) {
  const Checks checks("softmax_cross_entropy_backward", probabilities.type);
  checks.shape("probabilities", probabilities, probabilities.rows, probabilities.columns);
  checks.ids("targets", targets, probabilities.rows, probabilities.columns);
  checks.shape("d_losses", d_losses, 1, probabilities.rows);
  checks.shape("d_logits", d_logits, probabilities.rows, probabilities.columns);
}

// d loss / d x[k] = p[k] - [k == target]
void ReferenceBackend::softmax_cross_entropy_backward(ConstMatrix probabilities,
                                                      std::span<const int32_t> targets, ConstMatrix d_losses,
                                                      Matrix d_logits) {
  reference::check_softmax_backward(probabilities, targets, d_losses, d_logits);
  with_scalar("softmax_cross_entropy_backward", probabilities.type, [&]<class T>(T) {
    const View<const T> p = view<T>(probabilities), d = view<T>(d_losses);
    const View<T> to = view<T>(d_logits);
    for (int64_t n = 0; n < p.rows; ++n) {
      for (int64_t k = 0; k < p.columns; ++k)
        to(n, k) += d(0, n) * (p(n, k) - (k == targets[n] ? T(1) : T(0)));
    }
  });
}

void ReferenceBackend::sigmoid_cross_entropy(ConstMatrix logits, ConstMatrix targets, Matrix probabilities,
                                             Matrix losses) {
  const Checks checks("sigmoid_cross_entropy", logits.type);
  checks.shape("logits", logits, logits.rows, logits.columns);
  checks.shape("probabilities", probabilities, logits.rows, logits.columns);
  checks.optional("losses", losses, 1, logits.rows);
  if (losses) checks.shape("targets", targets, logits.rows, logits.columns);
  with_scalar("sigmoid_cross_entropy", logits.type, [&]<class T>(T) {
    const View<const T> x = view<T>(logits), t = view<T>(targets);
    const View<T> p = view<T>(probabilities), loss = view<T>(losses);
    for (int64_t n = 0; n < x.rows; ++n) {
      T sum = 0;
      for (int64_t k = 0; k < x.columns; ++k) {
        if (loss) sum += binary_cross_entropy(x(n, k), t(n, k));
        p(n, k) = reference::sigmoid(x(n, k));
      }
      if (loss) loss(0, n) = sum;
    }
  });
}

// d loss / d x[k] = p[k] - target[k]
void ReferenceBackend::sigmoid_cross_entropy_backward(ConstMatrix probabilities, ConstMatrix targets,
                                                      ConstMatrix d_losses, Matrix d_logits) {
  const Checks checks("sigmoid_cross_entropy_backward", probabilities.type);
  checks.shape("probabilities", probabilities, probabilities.rows, probabilities.columns);
  checks.shape("targets", targets, probabilities.rows, probabilities.columns);
  checks.shape("d_losses", d_losses, 1, probabilities.rows);
  checks.shape("d_logits", d_logits, probabilities.rows, probabilities.columns);
  with_scalar("sigmoid_cross_entropy_backward", probabilities.type, [&]<class T>(T) {
    const View<const T> p = view<T>(probabilities), t = view<T>(targets), d = view<T>(d_losses);
    const View<T> to = view<T>(d_logits);
    for (int64_t n = 0; n < p.rows; ++n) {
      for (int64_t k = 0; k < p.columns; ++k) to(n, k) += d(0, n) * (p(n, k) - t(n, k));
    }
  });
}

}  // namespace rondo
