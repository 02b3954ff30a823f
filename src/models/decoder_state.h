// What a decoder carries from step to step, and rows of it: what a beam keeps, what of a batch is still
// alive.
//   DecoderState state = select_rows(step.state, {0, 0, 3});
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "layers/recurrent.h"

namespace rondo {

/// A row a hypothesis.
struct DecoderState {
  std::vector<Tensor> h;  ///< a layer: [N, H]
  std::vector<Tensor> c;  ///< likewise, of lstm
  Tensor fed;             ///< [N, O] what the step before gave out; with a translator's input feeding alone

  int64_t rows() const { return h.empty() ? 0 : h.front().dim(0); }
};

struct DecoderStep {
  Tensor log_probabilities;  ///< [N, V]
  Tensor attention;          ///< [N, longest source] of the memory; empty without attention
  DecoderState state;
  std::vector<RecurrentTrace> traces = {};  ///< of the decoder, when the tape is tracing
};

/// Rows in this order, each as often as it stands there. @throws ShapeError for a row that is not there.
Tensor select_rows(const Tensor& x, std::span<const int32_t> rows);
DecoderState select_rows(const DecoderState& state, std::span<const int32_t> rows);

/// The first `count` rows: sequences end in the order of packed rows.
Variable first_rows(const Variable& x, int64_t count);
RecurrentState first_rows(const RecurrentState& state, int64_t count);
RecurrentState gather_rows(const RecurrentState& state, const std::vector<int32_t>& rows);

/// The layout of one row each.
Packing one_step(int64_t rows);

}  // namespace rondo
