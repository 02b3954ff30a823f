// Dropout whose mask is one a sequence: what a recurrent layer sees does not flicker from step to step.
//   Variable y = locked_dropout(x, packing, 0.4);
#pragma once

#include "tensor/packing.h"
#include "tensor/tape.h"

namespace rondo {

/// y[t, n] = x[t, n] * mask[n], where each element of mask [N, D] is 0 with `probability`, else
/// 1/(1-probability): the same at every step of a sequence. x itself when not training or at probability 0.
/// The mask of packed sequence n does not depend on how many others there are.
/// @param x  [R, D] packed rows.  @throws ShapeError for another R.
/// Sources: Gal & Ghahramani 2016; Merity et al. 2017.
Variable locked_dropout(const Variable& x, const Packing& packing, double probability);

}  // namespace rondo
