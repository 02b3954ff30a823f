// h' = phi(Wx + b_ih + Uh + b_hh), phi = tanh, relu or nothing. Source: Elman 1990, "Finding structure in
// time".
#pragma once

#include "kernels/reference/step.h"

namespace rondo::reference {

template <class T>
T rnn_activation(const CellKind& kind, T a) {
  return kind.linear ? a : kind.relu ? relu(a) : std::tanh(a);
}

/// phi', written with h' = phi(a).
template <class T>
T rnn_slope(const CellKind& kind, T h) {
  if (kind.linear) return T(1);
  if (kind.relu) return real_part(h) > 0 ? T(1) : T(0);
  return T(1) - h * h;
}

template <class T>
void rnn_forward(const CellKind& kind, const CellWeights<T>& w, const ForwardStep<T>& s) {
  for (int64_t j = 0; j < w.H; ++j) {
    const T a = w.preactivation(j, s.x, s.h_masked);
    s.h_next[j] = s.gates[j] = rnn_activation(kind, a);
  }
}

/// d_a = d_h' * phi'(a), with phi' = 1 - h'^2 (tanh), [h' > 0] (relu) or 1;  d_h = U^T d_a.
template <class T>
void rnn_backward(const CellKind& kind, const CellWeights<T>& w, const BackwardStep<T>& s) {
  for (int64_t j = 0; j < w.H; ++j) {
    s.gates[j] = s.d_h_next[j] * rnn_slope(kind, s.gates[j]);
  }
  w.add_state_gradient(0, w.H, s.gates, s.d_h_masked);
}

}  // namespace rondo::reference
