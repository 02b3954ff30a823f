// i, f, o = sigmoid(Wx + b_ih + Uh + b_hh), g = tanh(the same);  c' = f*c + i*g;  h' = o*tanh(c').
// Peepholes add p_i*c into i, p_f*c into f and p_o*c' into o: o looks at the new cell, so it is computed
// last. Coupled: i = 1 - f. Projected: h' = w_hr (o*tanh(c')), [P] instead of [H]. With the tanh outside
// tanh(o*c') stands for o*tanh(c').
// Blocks of H in the weights and in `gates`: i f g o, or f g o when coupled.
// Sources: Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000 (forget gate); Gers, Schraudolph &
// Schmidhuber 2002 (peepholes); Greff et al. 2017 (coupled); Sak, Senior & Beaufays 2014 (projection);
// Kalchbrenner, Danihelka & Graves 2015 (tanh outside).
#pragma once

#include <vector>

#include "kernels/reference/step.h"

namespace rondo::reference {

/// Where each gate's block begins in the weights and in `gates`, and where each peephole's row is.
struct LstmBlocks {
  int64_t i, f, g, o;  ///< i is unused when coupled
  int64_t p_i = 0, p_f = 1, p_o = 2;

  LstmBlocks(const CellKind& kind, int64_t H) : i(0), f(H), g(2 * H), o(3 * H) {
    if (kind.coupled) *this = LstmBlocks(H);
  }

 private:
  explicit LstmBlocks(int64_t H) : i(-1), f(0), g(H), o(2 * H), p_i(-1), p_f(0), p_o(1) {}
};

template <class T>
void lstm_forward(const CellKind& kind, const CellWeights<T>& w, const ForwardStep<T>& s) {
  const LstmBlocks at(kind, w.H);
  std::vector<T> inner(w.H);  // o*tanh(c') or tanh(o*c')
  for (int64_t j = 0; j < w.H; ++j) {
    auto gate = [&](int64_t block, int64_t peephole, T c) {
      const T a = w.preactivation(block + j, s.x, s.h_masked);
      return sigmoid(w.peepholes ? multiply_add(w.peepholes(peephole, j), c, a) : a);
    };
    const T f = gate(at.f, at.p_f, s.c[j]);
    const T i = kind.coupled ? T(1) - f : gate(at.i, at.p_i, s.c[j]);
    const T g = std::tanh(w.preactivation(at.g + j, s.x, s.h_masked));
    s.c_next[j] = f * s.c[j] + i * g;
    const T o = gate(at.o, at.p_o, s.c_next[j]);
    inner[j] = kind.tanh_outside ? std::tanh(o * s.c_next[j]) : o * std::tanh(s.c_next[j]);
    if (!kind.coupled) s.gates[at.i + j] = i;
    s.gates[at.f + j] = f;
    s.gates[at.g + j] = g;
    s.gates[at.o + j] = o;
  }
  for (int64_t p = 0; p < w.P; ++p) {
    s.h_next[p] = w.w_hr ? w.project(p, inner.data()) : inner[p];
  }
}

/// With m = o*tanh(c'), d_m = w_hr^T d_h' (or d_h'), a_x the pre-activation of gate x:
///   d_a_o = d_m * tanh(c') * o(1-o)
///   d_c'  = what came from the next step + d_m * o * (1 - tanh(c')^2) + p_o * d_a_o
///   d_a_g = d_c' * i * (1-g^2)
///   d_a_i = d_c' * g * i(1-i),  d_a_f = d_c' * c * f(1-f);  coupled: d_a_f = d_c' * (c - g) * f(1-f)
///   d_c   = d_c' * f + p_i * d_a_i + p_f * d_a_f
///   d_h   = U^T d_a
/// With the tanh outside, m = tanh(o*c') and e = d_m * (1 - m^2):
///   d_a_o = e * c' * o(1-o),  d_c' = what came from the next step + e * o + p_o * d_a_o
template <class T>
void lstm_backward(const CellKind& kind, const CellWeights<T>& w, const BackwardStep<T>& s) {
  const LstmBlocks at(kind, w.H);
  auto peephole = [&](int64_t row, int64_t j) { return w.peepholes ? w.peepholes(row, j) : T(0); };
  for (int64_t j = 0; j < w.H; ++j) {
    const T f = s.gates[at.f + j], g = s.gates[at.g + j], o = s.gates[at.o + j];
    const T i = kind.coupled ? T(1) - f : s.gates[at.i + j];
    const T c_next = s.c_next[j];
    const T squashed = std::tanh(kind.tanh_outside ? o * c_next : c_next);
    const T slope = T(1) - squashed * squashed;
    const T d_m = w.w_hr ? w.project_gradient(j, s.d_h_next) : s.d_h_next[j];

    const T d_o = d_m * (kind.tanh_outside ? slope * c_next : squashed);
    const T d_a_o = d_o * o * (T(1) - o);
    const T d_c = s.d_c[j] + d_m * o * slope + peephole(at.p_o, j) * d_a_o;
    const T d_a_g = d_c * i * (T(1) - g * g);
    const T d_a_i = kind.coupled ? T(0) : d_c * g * i * (T(1) - i);
    const T d_a_f = d_c * (kind.coupled ? s.c[j] - g : s.c[j]) * f * (T(1) - f);
    s.d_c[j] = d_c * f + peephole(at.p_f, j) * d_a_f;
    if (!kind.coupled) s.d_c[j] += peephole(at.p_i, j) * d_a_i;

    s.inner[j] = kind.tanh_outside ? squashed : o * squashed;
    if (s.d_c_next) s.d_c_next[j] = d_c;
    if (!kind.coupled) s.gates[at.i + j] = d_a_i;
    s.gates[at.f + j] = d_a_f;
    s.gates[at.g + j] = d_a_g;
    s.gates[at.o + j] = d_a_o;
  }
  w.add_state_gradient(0, kind.blocks() * w.H, s.gates, s.d_h_masked);
}

}  // namespace rondo::reference
