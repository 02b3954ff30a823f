// One direction of a recurrent pass: the loop over time that all cells share.
// A state of N rows is carried along; a sequence's row stands still while the sequence is not alive. So the
// reverse direction meets h0 at each sequence's own last row, and an empty sequence ends with h0.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/reference/elementwise.h"
#include "kernels/reference/gru.h"
#include "kernels/reference/lstm.h"
#include "kernels/reference/product.h"
#include "kernels/reference/rnn.h"

namespace rondo::reference {

/// Calls visit(n, row) for every row in the order of the recurrence; `backwards` turns the order round.
template <class Visit>
void for_each_row(const PackedRows& rows, bool reverse, bool backwards, Visit&& visit) {
  for (int64_t s = 0; s < rows.steps(); ++s) {
    const int64_t t = reverse != backwards ? rows.steps() - 1 - s : s;
    for (int64_t n = 0; n < rows.count(t); ++n) visit(n, rows.row(t, n));
  }
}

/// [N, width]: a copy of `initial`, or zeros where it is not given.
template <class T>
Buffer<T> initial_state(const ConstMatrix& initial, int64_t sequences, int64_t width) {
  Buffer<T> state(sequences, width);
  const View<const T> from = view<T>(initial);
  for (int64_t n = 0; from && n < sequences; ++n) std::copy_n(from.row(n), width, state.row(n));
  return state;
}

/// h times the mask of sequence n, or h itself: what enters U. The gradient takes the same way back.
template <class T>
void mask_state(const ConstMatrix& state_mask, int64_t n, int64_t width, const T* h, T* masked) {
  const View<const T> mask = view<T>(state_mask);
  for (int64_t p = 0; p < width; ++p) masked[p] = mask ? h[p] * mask(n, p) : h[p];
}

template <class T>
void cell_forward(const CellKind& kind, const CellWeights<T>& w, const ForwardStep<T>& step) {
  if (kind.cell == Cell::kRnn) return rnn_forward(kind, w, step);
  if (kind.cell == Cell::kLstm) return lstm_forward(kind, w, step);
  gru_forward(kind, w, step);
}

template <class T>
void cell_backward(const CellKind& kind, const CellWeights<T>& w, const BackwardStep<T>& step) {
  if (kind.cell == Cell::kRnn) return rnn_backward(kind, w, step);
  if (kind.cell == Cell::kLstm) return lstm_backward(kind, w, step);
  gru_backward(kind, w, step);
}

template <class T>
void direction_forward(const RecurrentForward& pass, const RecurrentDirection& d) {
  const CellWeights<T> w(pass.kind, d.weights, pass.precision, bool(d.state_mask));
  const int64_t N = pass.rows.sequences, cell_width = pass.kind.has_cell_state() ? w.H : 0;
  Buffer<T> h = initial_state<T>(d.h0, N, w.P);
  Buffer<T> c = initial_state<T>(cell_width > 0 ? d.c0 : ConstMatrix(), N, cell_width);
  std::vector<T> masked(w.P);
  const View<const T> x = view<T>(pass.x);
  const View<T> y = view<T>(d.y), gates = view<T>(d.gates), cells = view<T>(d.cells);
  for_each_row(pass.rows, d.reverse, false, [&](int64_t n, int64_t row) {
    mask_state(d.state_mask, n, w.P, h.row(n), masked.data());
    T* const c_next = cell_width > 0 ? cells.row(row) : nullptr;
    cell_forward<T>(pass.kind, w,
                    {.x = x.row(pass.x_rows.empty() ? row : pass.x_rows[row]),
                     .h = h.row(n),
                     .h_masked = masked.data(),
                     .c = c.row(n),
                     .gates = gates.row(row),
                     .h_next = y.row(row),
                     .c_next = c_next});
    std::copy_n(y.row(row), w.P, h.row(n));
    if (c_next) std::copy_n(c_next, w.H, c.row(n));
  });
  const View<T> h_n = view<T>(d.h_n), c_n = view<T>(d.c_n);
  for (int64_t n = 0; n < N; ++n) {
    std::copy_n(h.row(n), w.P, h_n.row(n));
    if (cell_width > 0) std::copy_n(c.row(n), w.H, c_n.row(n));
  }
}

/// [R, width]: for every row the state before its step, s_{t-1}, found again in what the forward pass left.
template <class T>
Buffer<T> states_before(const PackedRows& rows, bool reverse, const ConstMatrix& initial,
                        const ConstMatrix& states, int64_t width) {
  Buffer<T> state = initial_state<T>(initial, rows.sequences, width);
  Buffer<T> before(rows.rows(), width);
  const View<const T> after = view<T>(states);
  for_each_row(rows, reverse, false, [&](int64_t n, int64_t row) {
    std::copy_n(state.row(n), width, before.row(row));
    std::copy_n(after.row(row), width, state.row(n));
  });
  return before;
}

/// What the way back through time leaves for the gradients of the weights, one row each; the gradients of the
/// pre-activations stand in `gates`.
template <class T>
struct Trace {
  Buffer<T> h_before, h_masked, c_before;  ///< [R, P], [R, P], [R, H]
  Buffer<T> d_h;                           ///< [R, P] the whole gradient that arrives at h'
  Buffer<T> inner;                         ///< [R, H] see BackwardStep
};

template <class T>
Trace<T> make_trace(const RecurrentBackward& pass, const RecurrentDirection& d, const CellWeights<T>& w) {
  const int64_t R = pass.rows.rows();
  Trace<T> trace{.h_before = states_before<T>(pass.rows, d.reverse, d.h0, d.y, w.P),
                 .h_masked = Buffer<T>(R, w.P),
                 .c_before = {},
                 .d_h = Buffer<T>(R, w.P),
                 .inner = Buffer<T>(R, w.H)};
  if (pass.kind.has_cell_state()) {
    trace.c_before = states_before<T>(pass.rows, d.reverse, d.c0, d.cells, w.H);
  }
  for_each_row(pass.rows, d.reverse, false, [&](int64_t n, int64_t row) {
    mask_state(d.state_mask, n, w.P, trace.h_before.row(row), trace.h_masked.row(row));
  });
  return trace;
}

/// Back through time. On entry d_h [N, P] and d_c [N, H] hold what arrives at the final states; on return
/// what arrives at the initial ones.
template <class T>
void backward_through_time(const RecurrentBackward& pass, const RecurrentDirectionBackward& d,
                           const CellWeights<T>& w, Trace<T>& trace, Buffer<T>& d_h, Buffer<T>& d_c) {
  const bool lstm = pass.kind.has_cell_state();
  const View<const T> d_y = view<T>(d.d_y);
  const View<T> gates = view<T>(d.forward.gates), cells = view<T>(d.forward.cells);
  const View<T> d_states = view<T>(d.d_states);
  for_each_row(pass.rows, d.forward.reverse, true, [&](int64_t n, int64_t row) {
    T* const arrived = trace.d_h.row(row);
    for (int64_t p = 0; p < w.P; ++p) arrived[p] = d_y ? d_y(row, p) + d_h(n, p) : d_h(n, p);
    if (d_states && !lstm) std::copy_n(arrived, w.P, d_states.row(row));

    std::vector<T> past_u(w.P), through_u(w.P), unmasked(w.P);
    cell_backward<T>(pass.kind, w,
                     {.h = trace.h_before.row(row),
                      .h_masked = trace.h_masked.row(row),
                      .c = lstm ? trace.c_before.row(row) : nullptr,
                      .c_next = lstm ? cells.row(row) : nullptr,
                      .d_h_next = arrived,
                      .gates = gates.row(row),
                      .d_c = d_c.row(n),
                      .d_c_next = d_states && lstm ? d_states.row(row) : nullptr,
                      .d_h = past_u.data(),
                      .d_h_masked = through_u.data(),
                      .inner = trace.inner.row(row)});
    mask_state(d.forward.state_mask, n, w.P, through_u.data(), unmasked.data());
    for (int64_t p = 0; p < w.P; ++p) d_h(n, p) = past_u[p] + unmasked[p];
  });
}

/// to += a^T b, where it is wanted: one chain over the rows r = 0, 1, 2, ... for each element.
template <class T>
void add_outer_products(Precision precision, const ConstMatrix& a, const ConstMatrix& b, const Matrix& to) {
  if (!to) return;
  multiply_matrices<T>(
      {.a = a, .b = b, .c = to, .bias = {}, .transpose_a = true, .accumulate = true, .precision = precision});
}

/// [U, G*H]: the gradients of the pre-activations of each row of x, rows that took it in their order.
template <class T>
Buffer<T> input_gradients(const RecurrentBackward& pass, const View<T>& d_a, int64_t columns) {
  Buffer<T> sums(pass.x.rows, columns);
  for (int64_t r = 0; r < pass.rows.rows(); ++r) {
    T* const sum = sums.row(pass.x_rows.empty() ? r : pass.x_rows[r]);
    for (int64_t j = 0; j < columns; ++j) sum[j] += d_a(r, j);
  }
  return sums;
}

/// d_W += d_a^T x;  d_x += d_a W, where it is wanted: one chain over the columns of d_a for each element.
template <class T>
void add_input_gradients(const RecurrentBackward& pass, const RecurrentDirectionBackward& d,
                         int64_t columns) {
  const Buffer<T> d_a = input_gradients<T>(pass, view<T>(d.forward.gates), columns);
  add_outer_products<T>(pass.precision, d_a.matrix(), pass.x, d.d_weights.w_ih);
  if (!pass.d_x) return;
  multiply_matrices<T>({.a = d_a.matrix(),
                        .b = d.forward.weights.w_ih,
                        .c = pass.d_x,
                        .bias = {},
                        .accumulate = true,
                        .precision = pass.precision});
}

/// d_p_i += sum over rows of d_a_i * c, d_p_f the same, d_p_o += sum of d_a_o * c'.
template <class T>
void add_peephole_gradients(const CellKind& kind, const RecurrentDirectionBackward& d, const Trace<T>& trace,
                            int64_t H) {
  const View<T> to = view<T>(d.d_weights.peepholes);
  const View<T> d_a = view<T>(d.forward.gates), cells = view<T>(d.forward.cells);
  const LstmBlocks at = kind.lstm();
  for (int64_t r = 0; r < d_a.rows; ++r) {
    for (int64_t j = 0; j < H; ++j) {
      auto add = [&](int64_t row, int64_t block, T c) {
        if (row >= 0) to(row, j) = multiply_add(d_a(r, block * H + j), c, to(row, j));
      };
      add(at.p_i, at.i, trace.c_before.row(r)[j]);
      add(at.p_f, at.f, trace.c_before.row(r)[j]);
      add(at.p_o, at.o, cells(r, j));
    }
  }
}

/// Every weight gradient is a sum over the packed rows in their order, begun with what stands there:
/// d_U += d_a^T h, d_b += column sums of d_a. The n block of a gru's U and b_hh has its own
/// d (reset after: the block behind it) or its own h (reset before: r*h).
template <class T>
void add_weight_gradients(const RecurrentBackward& pass, const RecurrentDirectionBackward& d,
                          const CellWeights<T>& w, const Trace<T>& trace) {
  const CellKind& kind = pass.kind;
  const RecurrentGradients& g = d.d_weights;
  const int64_t H = w.H, G = kind.blocks();
  const int64_t plain = kind.plain_blocks();
  const ConstMatrix gates = d.forward.gates;
  const ConstMatrix d_a = gates.columns_at(0, G * H);
  if (g.b_ih) sum_columns<T>(d_a, g.b_ih);

  const ConstMatrix d_plain = gates.columns_at(0, plain * H);
  if (g.w_hh)
    add_outer_products<T>(pass.precision, d_plain, trace.h_masked.matrix(), g.w_hh.rows_at(0, plain * H));
  if (g.b_hh) sum_columns<T>(d_plain, g.b_hh.columns_at(0, plain * H));
  if (kind.cell == Cell::kGru) {
    const ConstMatrix d_n = gates.columns_at((kind.reset_before ? plain : G) * H, H);
    const ConstMatrix h = kind.reset_before ? trace.inner.matrix() : trace.h_masked.matrix();
    if (g.w_hh) add_outer_products<T>(pass.precision, d_n, h, g.w_hh.rows_at(plain * H, H));
    if (g.b_hh) sum_columns<T>(d_n, g.b_hh.columns_at(plain * H, H));
  }
  if (w.w_hr) add_outer_products<T>(pass.precision, trace.d_h.matrix(), trace.inner.matrix(), g.w_hr);
  if (kind.peepholes && g.peepholes) add_peephole_gradients(kind, d, trace, H);
}

/// to += from, [N, width], where it is wanted.
template <class T>
void add_state_gradients(const Buffer<T>& from, const Matrix& to) {
  const View<T> sum = view<T>(to);
  for (int64_t n = 0; sum && n < from.rows(); ++n) {
    for (int64_t c = 0; c < from.columns(); ++c) sum(n, c) += from.row(n)[c];
  }
}

template <class T>
void direction_backward(const RecurrentBackward& pass, const RecurrentDirectionBackward& d) {
  const CellWeights<T> w(pass.kind, d.forward.weights, pass.precision, bool(d.forward.state_mask));
  const bool lstm = pass.kind.has_cell_state();
  const int64_t N = pass.rows.sequences;
  Trace<T> trace = make_trace<T>(pass, d.forward, w);
  Buffer<T> d_h = initial_state<T>(d.d_h_n, N, w.P);
  Buffer<T> d_c = initial_state<T>(lstm ? d.d_c_n : ConstMatrix(), N, lstm ? w.H : 0);
  backward_through_time(pass, d, w, trace, d_h, d_c);
  add_weight_gradients(pass, d, w, trace);
  add_input_gradients<T>(pass, d, pass.kind.blocks() * w.H);
  add_state_gradients(d_h, d.d_h0);
  if (lstm) add_state_gradients(d_c, d.d_c0);
}

}  // namespace rondo::reference
