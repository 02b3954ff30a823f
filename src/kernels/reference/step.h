// What one step of one sequence reads and writes, and the sums that all cells share.
//
// The order of sums (promise 2 of the design; every backend keeps it). The pre-activation of column j of a
// row is one chain of fused multiply-adds in one accumulator:
//   a = b_ih[j] + b_hh[j]                     rounded once
//   a = fma(x[d], w_ih[j,d], a)               d = 0 .. D-1
//   a = fma(h[p], w_hh[j,p], a)               p = 0 .. P-1, h masked
//   a = fma(p_j, c, a)                        peephole, lstm only
// gru with reset after keeps two accumulators for n: the x chain begins at b_in, the h chain at b_hn.
#pragma once

#include "kernels/recurrent.h"
#include "kernels/reference/precision.h"
#include "kernels/reference/view.h"

namespace rondo::reference {

/// RecurrentWeights with a type; a view is false where the weight was not given.
template <class T>
struct CellWeights {
  View<const T> w_ih, w_hh, b_ih, b_hh, w_hr, peepholes;
  int64_t D, H, P;

  Precision precision;
  bool bounded;        ///< the state that U sees is between -1 and 1
  bool inner_bounded;  ///< what is projected is

  /// @param masked  the state is multiplied by a dropout mask before U sees it.
  CellWeights(const CellKind& kind, const RecurrentWeights& w, Precision precision_, bool masked)
      : w_ih(view<T>(w.w_ih)),
        w_hh(view<T>(w.w_hh)),
        b_ih(view<T>(w.b_ih)),
        b_hh(view<T>(w.b_hh)),
        w_hr(view<T>(w.w_hr)),
        peepholes(view<T>(w.peepholes)),
        D(w_ih.columns),
        H(w_ih.rows / kind.blocks()),
        P(w_hh.columns),
        precision(precision_),
        bounded(!masked && !w_hr && kind.bounded()),
        inner_bounded(kind.bounded()) {}

  /// start + sum over d of x[d] * w_ih[j,d]
  T add_input(int64_t j, const T* x, T start) const { return add(D, x, w_ih.row(j), start, false); }
  /// start + sum over p of h[p] * w_hh[j,p]
  T add_state(int64_t j, const T* h, T start) const { return add(P, h, w_hh.row(j), start, bounded); }
  /// sum over j of inner[j] * w_hr[p,j]
  T project(int64_t p, const T* inner) const { return add(H, inner, w_hr.row(p), T(0), inner_bounded); }
  /// b_ih + b_hh + Wx + Uh of column j.
  T preactivation(int64_t j, const T* x, const T* h) const {
    return add_state(j, h, add_input(j, x, b_ih(0, j) + b_hh(0, j)));
  }
  /// d_h[p] += sum over j = first .. first+count-1 of d[j-first] * w_hh[j,p]: the way back through U.
  void add_state_gradient(int64_t first, int64_t count, const T* d, T* d_h) const {
    for (int64_t p = 0; p < P; ++p) {
      d_h[p] = add_products(
          precision, count, [&](int64_t j) { return d[j]; }, [&](int64_t j) { return w_hh(first + j, p); },
          d_h[p]);
    }
  }
  /// sum over p of d_h[p] * w_hr[p,j]: the way back through the projection.
  T project_gradient(int64_t j, const T* d_h) const {
    return add_products(
        precision, P, [&](int64_t p) { return d_h[p]; }, [&](int64_t p) { return w_hr(p, j); }, T(0));
  }

 private:
  T add(int64_t count, const T* a, const T* b, T start, bool within_one) const {
    return add_products(
        precision, count, [&](int64_t k) { return a[k]; }, [&](int64_t k) { return b[k]; }, start,
        within_one);
  }
};

/// One step of one sequence forward.
template <class T>
struct ForwardStep {
  const T* x;         ///< [D]
  const T* h;         ///< [P] h_{t-1}
  const T* h_masked;  ///< [P] h_{t-1} as it enters U
  const T* c;         ///< [H] c_{t-1} (lstm)
  T* gates;           ///< [S*H] out
  T* h_next;          ///< [P] out
  T* c_next;          ///< [H] out (lstm)
};

/// The same step backward.
template <class T>
struct BackwardStep {
  const T* h;         ///< [P] h_{t-1}
  const T* h_masked;  ///< [P] h_{t-1} as it entered U
  const T* c;         ///< [H] c_{t-1} (lstm)
  const T* c_next;    ///< [H] c_t (lstm)
  const T* d_h_next;  ///< [P] the whole gradient that arrives at h_t
  T* gates;           ///< [S*H] the gates in, the gradients of the pre-activations out
  T* d_c;             ///< [H] in: what arrives at c_t from step t+1; out: what goes to c_{t-1} (lstm)
  T* d_c_next;        ///< [H] out: the whole gradient at c_t (lstm), or null
  T* d_h;             ///< [P] zeros in; out: what goes to h_{t-1} past U (gru: z*h)
  T* d_h_masked;      ///< [P] zeros in; out: what goes to h_{t-1} through U, before the mask
  T* inner;           ///< [H] out, what a weight gradient needs: o*tanh(c') (lstm), r*h (gru, reset before)
};

}  // namespace rondo::reference
