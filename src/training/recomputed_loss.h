// The loss of a long chunk in the memory of a short one: the forward pass keeps the states between segments
// alone, the backward pass runs each segment's forward pass once more. Gradients are those of the whole
// chunk. Source: Chen et al. 2016, "Training deep nets with sublinear memory cost"; Gruslys et al. 2016 for
// recurrent networks.
#pragma once

#include <memory>

#include "data/streams.h"
#include "models/language_network.h"

namespace rondo {

struct RecomputedChunk {
  std::shared_ptr<const StreamChunk> chunk;
  int64_t steps = 0;  ///< of a segment
  double scale = 1;   ///< of the sum of the losses
};

struct RecomputedLoss {
  Variable loss;             ///< [1]
  std::vector<Tensor> h, c;  ///< final states of each layer, packed order
};

/// @param initial  of the segments in packed order; no gradient goes back to it.
/// Cost: one more forward pass. Memory: activations of `steps` steps, and a state a segment.
/// @throws ConfigError for dropout with a mask a step: --locked-dropout has one mask that all segments share.
RecomputedLoss recomputed_loss(Tape& tape, const LanguageNetwork& network, const RecomputedChunk& part,
                               const RecurrentState& initial);

}  // namespace rondo
