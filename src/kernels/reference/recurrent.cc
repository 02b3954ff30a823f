// The boundary of the recurrent passes: what the operands must be, then one direction after another.
#include "kernels/recurrent.h"

#include "kernels/reference/checks.h"
#include "kernels/reference/directions.h"
#include "kernels/reference/reference_backend.h"

namespace rondo {
namespace {

using reference::Checks;
using reference::with_scalar;

/// R, N, D, H, P, S of one direction; H is taken from w_ih, P from w_hh.
struct Sizes {
  int64_t R, N, D, H, P, S;

  Sizes(const CellKind& kind, const PackedRows& rows, int64_t input, const RecurrentWeights& w)
      : R(rows.rows()),
        N(rows.sequences),
        D(input),
        H(w.w_ih.rows / kind.blocks()),
        P(w.w_hr ? w.w_hr.rows : H),
        S(kind.saved_blocks()) {}
};

void check_weights(const Checks& checks, const CellKind& kind, const Sizes& n, const RecurrentWeights& w) {
  if (kind.cell == Cell::kGrid) throw_error<ShapeError>("recurrent: a grid is made of other cells");
  if (w.w_hr && kind.cell != Cell::kLstm) throw_error<ShapeError>("recurrent: only an lstm has a projection");
  if (w.peepholes && !kind.peepholes) throw_error<ShapeError>("recurrent: peepholes for a cell without them");
  const bool no_gate = kind.without == Ablation::kInputGate || kind.without == Ablation::kForgetGate;
  if ((kind.tanh_outside && kind.without != Ablation::kNone) || (kind.coupled && no_gate)) {
    throw_error<ShapeError>("recurrent: an lstm with its tanh outside is whole, coupled it has the gates");
  }
  const int64_t G = kind.blocks();
  checks.shape("w_ih", w.w_ih, G * n.H, n.D);
  checks.shape("w_hh", w.w_hh, G * n.H, n.P);
  checks.shape("b_ih", w.b_ih, 1, G * n.H);
  checks.shape("b_hh", w.b_hh, 1, G * n.H);
  checks.optional("w_hr", w.w_hr, n.P, n.H);
  if (kind.peepholes) checks.shape("peepholes", w.peepholes, kind.peephole_rows(), n.H);
}

void check_direction(const Checks& checks, const CellKind& kind, const Sizes& n,
                     const RecurrentDirection& d) {
  check_weights(checks, kind, n, d.weights);
  checks.optional("h0", d.h0, n.N, n.P);
  checks.optional("state_mask", d.state_mask, n.N, n.P);
  checks.shape("y", d.y, n.R, n.P);
  checks.shape("h_n", d.h_n, n.N, n.P);
  checks.shape("gates", d.gates, n.R, n.S * n.H);
  if (!kind.has_cell_state()) return;
  checks.optional("c0", d.c0, n.N, n.H);
  checks.shape("c_n", d.c_n, n.N, n.H);
  checks.shape("cells", d.cells, n.R, n.H);
}

void check_gradients(const Checks& checks, const CellKind& kind, const Sizes& n,
                     const RecurrentDirectionBackward& d) {
  const int64_t G = kind.blocks();
  checks.optional("d_y", d.d_y, n.R, n.P);
  checks.optional("d_h_n", d.d_h_n, n.N, n.P);
  checks.optional("d_c_n", d.d_c_n, n.N, n.H);
  checks.optional("d_weights.w_ih", d.d_weights.w_ih, G * n.H, n.D);
  checks.optional("d_weights.w_hh", d.d_weights.w_hh, G * n.H, n.P);
  checks.optional("d_weights.b_ih", d.d_weights.b_ih, 1, G * n.H);
  checks.optional("d_weights.b_hh", d.d_weights.b_hh, 1, G * n.H);
  checks.optional("d_weights.w_hr", d.d_weights.w_hr, n.P, n.H);
  checks.optional("d_weights.peepholes", d.d_weights.peepholes, kind.peephole_rows(), n.H);
  checks.optional("d_h0", d.d_h0, n.N, n.P);
  checks.optional("d_c0", d.d_c0, n.N, n.H);
  checks.optional("d_states", d.d_states, n.R, kind.has_cell_state() ? n.H : n.P);
}

/// x [R, D], or [U, D] whose rows x_rows chooses; or none, where every direction brings a table.
template <class Pass>
void check_input(const Checks& checks, const Pass& pass, bool table) {
  const int64_t R = pass.rows.rows();
  checks.shape("x", pass.x, pass.x_rows.empty() ? R : pass.x.rows, pass.x.columns);
  if (!pass.x_rows.empty() && !table) checks.ids("x_rows", pass.x_rows, R, pass.x.rows);
}

bool brings_table(const RecurrentForward& pass) {
  bool packed = !pass.x && !pass.x_rows.empty();
  for (const RecurrentDirection& d : pass.directions) packed = packed && d.packed != nullptr;
  return packed;
}

}  // namespace

void reference::check_recurrent(const RecurrentForward& pass) {
  const Checks checks("recurrent_forward", pass.x.type);
  checks.packed(pass.rows);
  const bool table = brings_table(pass);
  check_input(checks, pass, table);
  for (const RecurrentDirection& d : pass.directions) {
    const int64_t input = table ? d.weights.w_ih.columns : pass.x.columns;
    check_direction(checks, pass.kind, Sizes(pass.kind, pass.rows, input, d.weights), d);
  }
}

void ReferenceBackend::recurrent_forward(const RecurrentForward& pass) {
  reference::check_recurrent(pass);
  with_scalar("recurrent_forward", pass.x.type, [&]<class T>(T) {
    for (const RecurrentDirection& d : pass.directions) reference::direction_forward<T>(pass, d);
  });
}

std::unique_ptr<PackedRecurrent> ReferenceBackend::pack_recurrent(const CellKind& kind,
                                                                  const RecurrentWeights& weights, Precision,
                                                                  ConstMatrix embedding, bool) {
  const Checks checks("pack_recurrent", weights.w_hh.type);
  check_weights(checks, kind, Sizes(kind, {}, weights.w_ih.columns, weights), weights);
  checks.optional("embedding", embedding, embedding.rows, weights.w_ih.columns);
  return nullptr;
}

void reference::check_recurrent(const RecurrentBackward& pass) {
  const Checks checks("recurrent_backward", pass.x.type);
  checks.packed(pass.rows);
  check_input(checks, pass, false);
  if (pass.precision == Precision::kInt8) {
    throw_error<ShapeError>("recurrent_backward: int8 is for inference; train in float32 or bfloat16");
  }
  checks.optional("d_x", pass.d_x, pass.x.rows, pass.x.columns);
  for (const RecurrentDirectionBackward& d : pass.directions) {
    const Sizes sizes(pass.kind, pass.rows, pass.x.columns, d.forward.weights);
    check_direction(checks, pass.kind, sizes, d.forward);
    check_gradients(checks, pass.kind, sizes, d);
  }
}

void ReferenceBackend::recurrent_backward(const RecurrentBackward& pass) {
  reference::check_recurrent(pass);
  with_scalar("recurrent_backward", pass.x.type, [&]<class T>(T) {
    for (const RecurrentDirectionBackward& d : pass.directions) reference::direction_backward<T>(pass, d);
  });
}

}  // namespace rondo
