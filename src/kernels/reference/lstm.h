// i, f, o = sigmoid(Wx + b_ih + Uh + b_hh), g = tanh(the same);  c' = f*c + i*g;  h' = o*tanh(c').
// Peepholes add p_i*c into i, p_f*c into f and p_o*c' into o: o looks at the new cell, so it is computed
// last. Coupled: i = 1 - f. Projected: h' = w_hr (o*tanh(c')), [P] instead of [H]. With the tanh outside
// tanh(o*c') stands for o*tanh(c'). Without a gate it is 1 and has no block; without the input's tanh g is
// the sum itself, without the output's h' = o*c'. Blocks of H in the weights and in `gates`: i f g o, those
// that there are (LstmBlocks). Sources: Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000
// (forget gate); Gers, Schraudolph & Schmidhuber 2002 (peepholes); Greff et al. 2017 (coupled, without); Sak,
// Senior & Beaufays 2014 (projection); Kalchbrenner, Danihelka & Graves 2015 (tanh outside).
#pragma once

#include <vector>

#include "kernels/reference/step.h"

namespace rondo::reference {

/// The gate of this block, 1 where there is none.
template <class T>
T gate_at(const T* gates, int64_t block, int64_t H, int64_t j) {
  return block < 0 ? T(1) : gates[block * H + j];
}

template <class T>
void lstm_forward(const CellKind& kind, const CellWeights<T>& w, const ForwardStep<T>& s) {
  const LstmBlocks at = kind.lstm();
  std::vector<T> inner(w.H);  // o*tanh(c'), tanh(o*c') or o*c'
  for (int64_t j = 0; j < w.H; ++j) {
    auto gate = [&](int64_t block, int64_t peephole, T c) {
      if (block < 0) return T(1);
      const T a = w.preactivation(block * w.H + j, s.x, s.h_masked);
      return s.gates[block * w.H + j] =
                 sigmoid(w.peepholes ? multiply_add(w.peepholes(peephole, j), c, a) : a);
    };
    const T f = gate(at.f, at.p_f, s.c[j]);
    const T i = kind.coupled ? T(1) - f : gate(at.i, at.p_i, s.c[j]);
    const T a_g = w.preactivation(at.g * w.H + j, s.x, s.h_masked);
    const T g = s.gates[at.g * w.H + j] = kind.without == Ablation::kInputTanh ? a_g : std::tanh(a_g);
    const T c = s.c_next[j] = f * s.c[j] + i * g;
    const T o = gate(at.o, at.p_o, c);
    inner[j] = kind.tanh_outside                       ? std::tanh(o * c)
               : kind.without == Ablation::kOutputTanh ? o * c
                                                       : o * std::tanh(c);
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
/// A gate that is not there has no d_a; without a tanh its value stands for it and its slope is 1.
template <class T>
void lstm_backward(const CellKind& kind, const CellWeights<T>& w, const BackwardStep<T>& s) {
  const LstmBlocks at = kind.lstm();
  const bool straight = kind.without == Ablation::kOutputTanh;
  auto peephole = [&](int64_t row, int64_t j) {
    return w.peepholes && row >= 0 ? w.peepholes(row, j) : T(0);
  };
  auto leave = [&](int64_t block, int64_t j, T d_a) {
    if (block >= 0) s.gates[block * w.H + j] = d_a;
  };
  for (int64_t j = 0; j < w.H; ++j) {
    const T f = gate_at(s.gates, at.f, w.H, j), g = s.gates[at.g * w.H + j],
            o = gate_at(s.gates, at.o, w.H, j);
    const T i = kind.coupled ? T(1) - f : gate_at(s.gates, at.i, w.H, j);
    const T c_next = s.c_next[j];
    const T squashed = straight ? c_next : std::tanh(kind.tanh_outside ? o * c_next : c_next);
    const T slope = straight ? T(1) : T(1) - squashed * squashed;
    const T d_m = w.w_hr ? w.project_gradient(j, s.d_h_next) : s.d_h_next[j];

    const T d_o = d_m * (kind.tanh_outside ? slope * c_next : squashed);
    const T d_a_o = d_o * o * (T(1) - o);
    const T d_c = s.d_c[j] + d_m * o * slope + peephole(at.p_o, j) * d_a_o;
    const T d_a_g = d_c * i * (kind.without == Ablation::kInputTanh ? T(1) : T(1) - g * g);
    const T d_a_i = d_c * g * i * (T(1) - i);
    const T d_a_f = d_c * (kind.coupled ? s.c[j] - g : s.c[j]) * f * (T(1) - f);
    s.d_c[j] = d_c * f + peephole(at.p_f, j) * d_a_f + peephole(at.p_i, j) * d_a_i;

    s.inner[j] = kind.tanh_outside ? squashed : o * squashed;
    if (s.d_c_next) s.d_c_next[j] = d_c;
    leave(at.i, j, d_a_i);
    leave(at.f, j, d_a_f);
    leave(at.g, j, d_a_g);
    leave(at.o, j, d_a_o);
  }
  w.add_state_gradient(0, kind.blocks() * w.H, s.gates, s.d_h_masked);
}

}  // namespace rondo::reference
