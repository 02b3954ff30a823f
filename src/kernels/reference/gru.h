// r, z = sigmoid(Wx + b_ih + Uh + b_hh);  h' = (1-z)*n + z*h;  blocks of H in the weights: r z n.
//   reset after:  n = tanh(Wx + b_in + r*(Uh + b_hn)), as PyTorch and cuDNN; Uh + b_hn is left in a block of
//                 `gates` behind n, as the gradient needs it.
//   reset before: n = tanh(Wx + b_in + U(r*h) + b_hn), as the paper.
//   coupled:      r = 1 - z, blocks: z n. With reset before this is the minimal gated unit, whose f is 1 - z.
// z*h takes the unmasked h: a state mask drops what U sees, not what the cell remembers.
// Sources: Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder" (arXiv 1406.1078);
// Zhou et al. 2016, "Minimal gated unit for recurrent neural networks" (arXiv 1603.09420).
#pragma once

#include <vector>

#include "kernels/reference/step.h"

namespace rondo::reference {

template <class T>
void gru_forward(const CellKind& kind, const CellWeights<T>& w, const ForwardStep<T>& s) {
  const int64_t H = w.H, N = kind.plain_blocks() * H;  // where n begins
  T* const z = s.gates + N - H;
  T* const n = s.gates + N;
  std::vector<T> r(H), reset(H);  // reset = r*h
  for (int64_t j = 0; j < H; ++j) {
    z[j] = sigmoid(w.preactivation(N - H + j, s.x, s.h_masked));
    r[j] = kind.coupled ? T(1) - z[j] : s.gates[j] = sigmoid(w.preactivation(j, s.x, s.h_masked));
    reset[j] = r[j] * s.h_masked[j];
  }
  for (int64_t j = 0; j < H; ++j) {
    const int64_t row = N + j;
    if (kind.reset_before) {
      n[j] = std::tanh(w.preactivation(row, s.x, reset.data()));
    } else {
      T& u = n[H + j];  // Uh + b_hn
      u = w.add_state(row, s.h_masked, w.b_hh(0, row));
      n[j] = std::tanh(w.add_input(row, s.x, w.b_ih(0, row)) + r[j] * u);
    }
    s.h_next[j] = (T(1) - z[j]) * n[j] + z[j] * s.h[j];
  }
}

/// d_a_z = d_h' * (h - n) * z(1-z);  d_a_n = d_h' * (1-z) * (1-n^2);  d_h = d_h' * z + U^T(...)
///   reset after:  d_u = d_a_n * r, d_r = d_a_n * u, where u = Uh + b_hn; U's rows of n see d_u.
///   reset before: d_(r*h) = U_n^T d_a_n, d_r = d_(r*h) * h, d_h += d_(r*h) * r.
/// d_a_r = d_r * r(1-r);  coupled: d_a_z = (d_h' * (h - n) - d_r) * z(1-z).
template <class T>
void gru_backward(const CellKind& kind, const CellWeights<T>& w, const BackwardStep<T>& s) {
  const int64_t H = w.H, N = kind.plain_blocks() * H;
  T* const z = s.gates + N - H;  // each gate is overwritten with d_a of its own
  T* const n = s.gates + N;
  std::vector<T> r(H), d_r(H), d_z(H), d_reset(H);
  for (int64_t j = 0; j < H; ++j) {
    const T d_h_next = s.d_h_next[j];
    r[j] = kind.coupled ? T(1) - z[j] : s.gates[j];
    s.d_h[j] = d_h_next * z[j];
    d_z[j] = d_h_next * (s.h[j] - n[j]);
    n[j] = d_h_next * (T(1) - z[j]) * (T(1) - n[j] * n[j]);
  }
  if (kind.reset_before) w.add_state_gradient(N, H, n, d_reset.data());
  for (int64_t j = 0; j < H; ++j) {
    if (kind.reset_before) {
      s.inner[j] = r[j] * s.h_masked[j];
      s.d_h_masked[j] = d_reset[j] * r[j];
      d_r[j] = d_reset[j] * s.h_masked[j];
    } else {
      T& u = n[H + j];
      d_r[j] = n[j] * u;
      u = n[j] * r[j];
    }
    if (!kind.coupled) s.gates[j] = d_r[j] * r[j] * (T(1) - r[j]);
    z[j] = (kind.coupled ? d_z[j] - d_r[j] : d_z[j]) * z[j] * (T(1) - z[j]);
  }
  w.add_state_gradient(0, N, s.gates, s.d_h_masked);
  if (!kind.reset_before) w.add_state_gradient(N, H, n + H, s.d_h_masked);
}

}  // namespace rondo::reference
