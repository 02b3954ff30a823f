// One step of a cell over some rows and units after the multiplications, forward and backward, by SIMD.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/recurrent.h"

namespace rondo {

/// A piece of a matrix: rows `row` apart. A step of 0 repeats one row; null: not given.
struct Rows {
  float* at = nullptr;
  int64_t row = 0;

  Rows from(int64_t r, int64_t column = 0) const {
    return at == nullptr ? *this : Rows{at + r * row + column, row};
  }
};
struct ConstRows {
  const float* at = nullptr;
  int64_t row = 0;

  ConstRows() = default;
  ConstRows(const float* at_, int64_t row_) : at(at_), row(row_) {}
  ConstRows(Rows rows) : at(rows.at), row(rows.row) {}  // NOLINT: what may be written may be read
  ConstRows from(int64_t r, int64_t column = 0) const {
    return at == nullptr ? *this : ConstRows{at + r * row + column, row};
  }
};

inline ConstRows rows_of(const ConstMatrix& m) { return {static_cast<const float*>(m.data), m.stride}; }
inline Rows rows_of(const Matrix& m) { return {static_cast<float*>(m.data), m.stride}; }

/// What a kernel of the lstm is told beside its pieces.
struct LstmParts {
  const float* peepholes[3] = {};  ///< p_i p_f p_o; null: not given, or no such gate
  LstmBlocks blocks{false, Ablation::kNone};
  Ablation without = Ablation::kNone;

  LstmParts() = default;
  LstmParts(const CellKind& kind, const ConstMatrix& weights) : blocks(kind.lstm()), without(kind.without) {
    if (!kind.peepholes) return;
    const int64_t rows[] = {blocks.p_i, blocks.p_f, blocks.p_o};
    for (int p = 0; p < 3; ++p) peepholes[p] = rows[p] < 0 ? nullptr : rows_of(weights).from(rows[p]).at;
  }
  LstmParts from(int64_t unit) const {
    LstmParts parts = *this;
    for (const float*& peephole : parts.peepholes) peephole = peephole == nullptr ? nullptr : peephole + unit;
    return parts;
  }
};

/// One step forward. All pieces begin at the same sequence and unit.
struct CellForward {
  int64_t rows = 0, units = 0;
  int64_t block = 0;  ///< H: from a gate to the next in a row of `gates`
  Rows gates = {};    ///< pre-activations in, gates out
  Rows c = {};        ///< lstm: c in, c' out
  Rows cells = {};    ///< lstm: c' out, or not given
  LstmParts lstm = {};
  Rows h = {};              ///< h' out; with a projection o*tanh(c')
  Rows h_next = {};         ///< out: h' times the mask, what the next step multiplies; or not given
  Rows h_plain = {};        ///< gru: h in, h' out
  ConstRows h_masked = {};  ///< gru with reset before: what this step multiplied
  Rows reset = {};          ///< gru with reset before: r*h out
  ConstRows mask = {};      ///< or not given

  CellForward from(int64_t row, int64_t unit) const;
};

/// One step backward: gates become the gradients of their pre-activations.
struct CellBackward {
  int64_t rows = 0, units = 0;
  int64_t block = 0;
  Rows gates = {};
  ConstRows cells = {};     ///< lstm: c'
  ConstRows c_before = {};  ///< lstm
  ConstRows h_before = {};  ///< gru: without the mask
  LstmParts lstm = {};
  ConstRows d_y = {};   ///< or not given
  Rows d_h = {};        ///< from the step after; gru leaves the part that passes by the product
  Rows d_c = {};        ///< lstm: gradient of c' in, of c out
  Rows d_states = {};   ///< out, or not given
  Rows output = {};     ///< lstm with projection: what it projects out, or not given
  ConstRows mask = {};  ///< or not given
  Rows reset = {};      ///< gru with reset before: r * (masked h) out; d_h*(h - n) between its two calls
  Rows d_reset = {};    ///< gru with reset before: gradient of r*h in; its part of the masked h out

  CellBackward from(int64_t row, int64_t unit) const;
};

/// What an lstm's kernel is compiled for. What an ablated one does without is read as it runs: it is for
/// study, and one kernel for each would be most of what there is to compile.
struct LstmForm {
  enum Style { kUsual, kOutside, kAblated };  ///< kOutside: tanh(o*c')

  bool coupled = false;
  Style style = kUsual;

  static constexpr size_t kCount = 6;
  constexpr size_t index() const { return 3 * static_cast<size_t>(coupled) + static_cast<size_t>(style); }
  static constexpr LstmForm at(size_t index) { return {index >= 3, static_cast<Style>(index % 3)}; }
};
inline LstmForm form_of(const CellKind& kind) {
  return {kind.coupled, kind.tanh_outside                 ? LstmForm::kOutside
                        : kind.without == Ablation::kNone ? LstmForm::kUsual
                                                          : LstmForm::kAblated};
}

/// The kernels of one instruction set. gru with reset before takes two calls a step: `reset`, the
/// multiplication with r*h, `state` (backward: the other way round).
struct CellKernels {
  void (*rnn_tanh)(const CellForward&);
  void (*rnn_relu)(const CellForward&);
  void (*rnn_linear)(const CellForward&);
  std::array<void (*)(const CellForward&), LstmForm::kCount> lstm;
  void (*gru[2])(const CellForward&);  ///< the second coupled
  void (*gru_reset[2])(const CellForward&);
  void (*gru_state[2])(const CellForward&);
};
struct CellGradientKernels {
  void (*rnn_tanh)(const CellBackward&);
  void (*rnn_relu)(const CellBackward&);
  void (*rnn_linear)(const CellBackward&);
  std::array<void (*)(const CellBackward&), LstmForm::kCount> lstm;
  void (*gru[2])(const CellBackward&);
  void (*gru_state[2])(const CellBackward&);
  void (*gru_reset[2])(const CellBackward&);
};

const CellKernels& cell_kernels();
const CellGradientKernels& cell_gradient_kernels();

}  // namespace rondo
