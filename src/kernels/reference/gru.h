// r, z = sigmoid(Wx + b_ih + Uh + b_hh);  h' = (1-z)*n + z*h;  blocks of H in the weights: r z n.
//   reset after:  n = tanh(Wx + b_in + r*(Uh + b_hn)), as PyTorch and cuDNN; Uh + b_hn is left in the fourth
//                 block of `gates`, as the gradient needs it.
//   reset before: n = tanh(Wx + b_in + U(r*h) + b_hn), as the paper.
// z*h takes the unmasked h: a state mask drops what U sees, not what the cell remembers.
// Source: Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder" (arXiv 1406.1078).
#pragma once

#include <vector>

#include "kernels/reference/step.h"

namespace rondo::reference {

template <class T>
void gru_forward(const CellKind& kind, const CellWeights<T>& w, const ForwardStep<T>& s) {
  const int64_t H = w.H;
  T* const r = s.gates;
  T* const z = r + H;
  T* const n = z + H;
  std::vector<T> reset(H);  // r*h
  for (int64_t j = 0; j < H; ++j) {
    r[j] = sigmoid(w.preactivation(j, s.x, s.h_masked));
    z[j] = sigmoid(w.preactivation(H + j, s.x, s.h_masked));
    reset[j] = r[j] * s.h_masked[j];
  }
  for (int64_t j = 0; j < H; ++j) {
    const int64_t row = 2 * H + j;
    if (kind.reset_before) {
      n[j] = std::tanh(w.preactivation(row, s.x, reset.data()));
    } else {
      T& u = s.gates[3 * H + j];  // Uh + b_hn
      u = w.add_state(row, s.h_masked, w.b_hh(0, row));
      n[j] = std::tanh(w.add_input(row, s.x, w.b_ih(0, row)) + r[j] * u);
    }
    s.h_next[j] = (T(1) - z[j]) * n[j] + z[j] * s.h[j];
  }
}

/// d_a_z = d_h' * (h - n) * z(1-z);  d_a_n = d_h' * (1-z) * (1-n^2);  d_h = d_h' * z + U^T(...)
///   reset after:  d_u = d_a_n * r, d_a_r = d_a_n * u * r(1-r), where u = Uh + b_hn; U's rows of n see d_u.
///   reset before: d_(r*h) = U_n^T d_a_n, d_a_r = d_(r*h) * h * r(1-r), d_h += d_(r*h) * r.
template <class T>
void gru_backward(const CellKind& kind, const CellWeights<T>& w, const BackwardStep<T>& s) {
  const int64_t H = w.H;
  T* const r = s.gates;  // each gate is overwritten with d_a of its own
  T* const z = r + H;
  T* const n = z + H;
  for (int64_t j = 0; j < H; ++j) {
    const T d_h_next = s.d_h_next[j];
    s.d_h[j] = d_h_next * z[j];
    const T d_n = d_h_next * (T(1) - z[j]) * (T(1) - n[j] * n[j]);
    z[j] = d_h_next * (s.h[j] - n[j]) * z[j] * (T(1) - z[j]);
    n[j] = d_n;
  }
  if (kind.reset_before) {
    std::vector<T> d_reset(H);
    w.add_state_gradient(2 * H, H, n, d_reset.data());
    for (int64_t j = 0; j < H; ++j) {
      s.inner[j] = r[j] * s.h_masked[j];
      s.d_h_masked[j] = d_reset[j] * r[j];
      r[j] = d_reset[j] * s.h_masked[j] * r[j] * (T(1) - r[j]);
    }
    w.add_state_gradient(0, 2 * H, s.gates, s.d_h_masked);
    return;
  }
  T* const u = n + H;
  for (int64_t j = 0; j < H; ++j) {
    const T d_u = n[j] * r[j];
    r[j] = n[j] * u[j] * r[j] * (T(1) - r[j]);
    u[j] = d_u;
  }
  w.add_state_gradient(0, 2 * H, s.gates, s.d_h_masked);
  w.add_state_gradient(2 * H, H, u, s.d_h_masked);
}

}  // namespace rondo::reference
