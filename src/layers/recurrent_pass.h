// One recurrent layer as an operation on the tape: both directions of a layer in one pass.
#pragma once

#include <vector>

#include "layers/recurrent.h"

namespace rondo {

/// The variables of one direction of one layer; h0, c0 and the optional weights may be empty.
struct DirectionInputs {
  Variable w_ih, w_hh, b_ih, b_hh, w_hr, peepholes, h0, c0;
  Tensor state_mask;                        ///< [N, P] or empty
  const PackedRecurrent* packed = nullptr;  ///< of these weights, which must outlive the pass, or null
  bool reverse = false;                     ///< begins at each sequence's own last row
};

/// What one layer works on.
struct LayerPass {
  CellKind kind;
  Precision precision = Precision::kFloat32;
  DistinctRows x;  ///< no x but rows: those of the packed weights' table
  std::vector<DirectionInputs> directions;
};

struct LayerOutput {
  Variable y;  ///< [R, directions*P]
  std::vector<Variable> h_n, c_n;
  std::vector<RecurrentTrace> traces;
};

LayerOutput recurrent_layer(Tape& tape, const LayerPass& layer, const Packing& packing);

}  // namespace rondo
