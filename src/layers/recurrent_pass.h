// One recurrent layer as an operation on the tape: both directions of a layer in one pass.
#pragma once

#include <vector>

#include "layers/recurrent.h"

namespace rondo {

/// The variables of one direction of one layer; h0, c0 and the optional weights may be empty.
struct DirectionInputs {
  Variable w_ih, w_hh, b_ih, b_hh, w_hr, peepholes, h0, c0;
  Tensor state_mask;  ///< [N, P] or empty
};

struct LayerOutput {
  Variable y;  ///< [R, directions*P]
  std::vector<Variable> h_n, c_n;
  std::vector<RecurrentTrace> traces;
};

/// The second direction, if there is one, reads in reverse.
LayerOutput recurrent_layer(const CellKind& kind, const Variable& x, const Packing& packing,
                            const std::vector<DirectionInputs>& directions);

}  // namespace rondo
