// What a recurrent layer's pass takes and gives: cells, weights, one or two directions over packed rows.
// Letters: R packed rows, N sequences, D input, H hidden, P = projection or H, G gates (blocks of H rows in
// the weights).
#pragma once

#include <span>

#include "kernels/array.h"
#include "kernels/packed_rows.h"

namespace rondo {

/// kGrid is made of the others, see layers/grid.h: no kernel computes it.
enum class Cell { kRnn, kLstm, kGru, kGrid };

/// What an lstm does without (Greff et al. 2017: NIG, NFG, NOG, NIAF, NOAF): a gate is 1, a tanh the
/// identity.
enum class Ablation { kNone, kInputGate, kForgetGate, kOutputGate, kInputTanh, kOutputTanh };

/// Where the gates of an lstm stand in the weights and in `gates`, and their rows in the peepholes; -1: it
/// has none of its own.
struct LstmBlocks {
  int64_t i, f, g, o;
  int64_t p_i, p_f, p_o;
  int64_t blocks = 0, peephole_rows = 0;

  constexpr LstmBlocks(bool coupled, Ablation without) {
    const bool has_i = !coupled && without != Ablation::kInputGate;
    const bool has_f = without != Ablation::kForgetGate;
    const bool has_o = without != Ablation::kOutputGate;
    i = has_i ? blocks++ : -1;
    f = has_f ? blocks++ : -1;
    g = blocks++;
    o = has_o ? blocks++ : -1;
    p_i = has_i ? peephole_rows++ : -1;
    p_f = has_f ? peephole_rows++ : -1;
    p_o = has_o ? peephole_rows++ : -1;
  }
};

/// What one step computes. s() is the logistic function, * is elementwise, W = w_ih, U = w_hh.
///   rnn   h' = phi(Wx + b_ih + Uh + b_hh), phi = tanh, relu or nothing (linear).                Blocks: one.
///   lstm  i,f,o = s(.), g = tanh(.), c' = f*c + i*g, h' = o*tanh(c').                      Blocks: i f g o.
///         peepholes: p_i*c into i, p_f*c into f, p_o*c' into o.        coupled: i = 1 - f.  Blocks: f g o.
///         without: i, f or o = 1 (no block of its own), g = Wx + b + Uh, or h' = o*c'.
///         projection: h' = w_hr (o*tanh(c')).          tanh_outside: tanh(o*c') instead of o*tanh(c').
///   gru   r,z = s(.), n = tanh(Wx + b_in + r*(Uh + b_hn)), h' = (1-z)*n + z*h.               Blocks: r z n.
///         reset_before: n = tanh(Wx + b_in + U(r*h) + b_hn).           coupled: r = 1 - z.    Blocks: z n.
/// Sources: Elman 1990; Hochreiter & Schmidhuber 1997 with Gers et al. 2000 (forget gate) and 2002
/// (peepholes); Greff et al. 2017 (coupled, without); Sak et al. 2014 (projection); Kalchbrenner et al. 2015
/// (tanh_outside); Cho et al. 2014 (gru), as PyTorch and cuDNN order it; Zhou et al. 2016 (coupled gru, the
/// minimal gated unit, whose f is 1 - z).
struct CellKind {
  Cell cell = Cell::kLstm;
  bool relu = false;                   ///< rnn
  bool linear = false;                 ///< rnn
  bool reset_before = false;           ///< gru
  bool peepholes = false;              ///< lstm
  bool coupled = false;                ///< lstm, gru
  bool tanh_outside = false;           ///< lstm
  Ablation without = Ablation::kNone;  ///< lstm; nothing beside tanh_outside, no i or f beside coupled

  bool operator==(const CellKind&) const = default;

  /// G: blocks of H rows in w_ih, w_hh and the biases.
  int64_t blocks() const {
    if (cell == Cell::kRnn) return 1;
    return cell == Cell::kGru ? (coupled ? 2 : 3) : lstm().blocks;
  }
  /// S: blocks of H columns that a pass leaves in `gates`. The gates after their activation in the order of
  /// the weights; gru with reset after adds one, Uh + b_hn, which its gradient needs; rnn leaves h'
  /// itself.
  int64_t saved_blocks() const { return blocks() + (cell == Cell::kGru && !reset_before ? 1 : 0); }
  /// Blocks of U that see h as it is, gradients likewise: all but the n of a gru, which comes last.
  int64_t plain_blocks() const { return blocks() - (cell == Cell::kGru ? 1 : 0); }
  bool has_cell_state() const { return cell == Cell::kLstm; }
  /// Whether a tanh keeps h' between -1 and 1.
  bool bounded() const { return !relu && !linear && without != Ablation::kOutputTanh; }
  constexpr LstmBlocks lstm() const { return {coupled, without}; }
  /// Rows of `peepholes`: i f o, those that there are.
  int64_t peephole_rows() const { return peepholes ? lstm().peephole_rows : 0; }
};

struct RecurrentWeights {
  ConstMatrix w_ih;       ///< [G*H, D]
  ConstMatrix w_hh;       ///< [G*H, P]
  ConstMatrix b_ih;       ///< [1, G*H]
  ConstMatrix b_hh;       ///< [1, G*H]
  ConstMatrix w_hr;       ///< [P, H], or empty: no projection, P = H
  ConstMatrix peepholes;  ///< [peephole_rows, H], or empty
};

/// The weights of one direction as a backend wants them, made once for many forward passes: see
/// Backend::pack_recurrent. They are a copy: later changes of the weights do not reach it.
class PackedRecurrent {
 public:
  virtual ~PackedRecurrent() = default;
};

/// One direction of a forward pass.
struct RecurrentDirection {
  RecurrentWeights weights;
  const PackedRecurrent* packed = nullptr;  ///< of these weights and the pass's precision; null: made in the
                                            ///< call
  bool reverse = false;                     ///< begins at each sequence's own last row
  ConstMatrix h0;                           ///< [N, P], or empty: zeros
  ConstMatrix c0;                           ///< [N, H], or empty: zeros (lstm)
  ConstMatrix state_mask;  ///< [N, P], or empty: h is multiplied by it before it enters Uh (dropout on the
                           ///< state, one mask a sequence). gru's z*h keeps the unmasked h.
  Matrix y;                ///< [R, P] out: h' of every row; its stride may be wider (directions side by side)
  Matrix h_n;              ///< [N, P] out: the state after each sequence's end; an empty sequence keeps h0
  Matrix c_n;              ///< [N, H] out (lstm)
  Matrix gates;            ///< [R, S*H] out: see CellKind::saved_blocks
  Matrix cells;            ///< [R, H] out: c' of every row (lstm)
};

/// Rows that repeat, as tokens do, are multiplied once: x may hold the distinct rows, and x_rows says which
/// of them each packed row takes. Where all directions' packed weights hold a table of inputs, x is empty and
/// x_rows are rows of that table.
struct RecurrentForward {
  CellKind kind;
  PackedRows rows;
  ConstMatrix x;                    ///< [R, D], or [U, D] with x_rows
  std::span<const int32_t> x_rows;  ///< [R] each 0 .. U-1, or empty: row r takes x[r]
  Precision precision = Precision::kFloat32;
  std::span<const RecurrentDirection> directions;
};

/// Gradients are added to what stands there; an empty matrix is not wanted.
struct RecurrentGradients {
  Matrix w_ih, w_hh, b_ih, b_hh, w_hr, peepholes;
};

struct RecurrentDirectionBackward {
  RecurrentDirection forward;  ///< as the forward pass left it. `gates` is overwritten with the gradients of
                               ///< the pre-activations (gru with reset after: d_r d_z d_n d_(Uh+b_hn)).
  ConstMatrix d_y;             ///< [R, P], or empty: zeros
  ConstMatrix d_h_n;           ///< [N, P], or empty: zeros
  ConstMatrix d_c_n;           ///< [N, H], or empty: zeros
  RecurrentGradients d_weights;
  Matrix d_h0;      ///< [N, P] added to, or empty
  Matrix d_c0;      ///< [N, H] added to, or empty
  Matrix d_states;  ///< [R, H for lstm, P else] overwritten, or empty: the whole gradient that arrives at the
                    ///< state of each row, c' for lstm and h' for rnn and gru. What `inspect` draws over
                    ///< distance.
};

/// x, x_rows and precision (not kInt8) as the forward pass had them.
struct RecurrentBackward {
  CellKind kind;
  PackedRows rows;
  ConstMatrix x;                    ///< [R, D], or [U, D] with x_rows
  std::span<const int32_t> x_rows;  ///< [R], or empty
  Precision precision = Precision::kFloat32;
  Matrix d_x;  ///< of the shape of x, added to (all directions), or empty
  std::span<const RecurrentDirectionBackward> directions;
};

}  // namespace rondo
