// Penalties on what a recurrent stack puts out: large activations (AR) and ones that jump from step to step
// (TAR).
//   Variable loss = add(output.loss(dropped, targets, scale), activation_penalty({.dropped = dropped, ...}));
#pragma once

#include "tensor/packing.h"
#include "tensor/tape.h"

namespace rondo {

struct ActivationPenalty {
  Variable dropped;  ///< [R, D] the top layer's outputs after dropout: AR
  Variable raw;      ///< [R, D] the same before it: TAR
  double ar = 0;
  double tar = 0;
};

/// ar * mean(dropped^2) + tar * mean((h[t+1] - h[t])^2) -> [1], h the rows of raw; the second mean is over
/// all elements of rows that have a next one in their sequence. A mean over nothing is 0; a factor 0 reads
/// nothing.
/// @throws ShapeError for another R.  Sources: Merity, McCann & Socher 2017; factors 2 and 1 in awd-lstm-lm.
Variable activation_penalty(const ActivationPenalty& pass, const Packing& packing);

}  // namespace rondo
