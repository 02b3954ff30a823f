// What clipping does to an update: the loss and the norm of the gradient as they were, and the step that the
// parameters took.
//   trace_clipping(*make_adding(50), {.cell = Cell::kRnn, .optimizer = OptimizerRule::kSgd, .clip = 1}, ...);
// Source: Pascanu, Mikolov & Bengio 2013: where ||g|| > theta, g becomes theta g / ||g||.
#pragma once

#include <functional>

#include "diagnostics/network.h"

namespace rondo::diagnostics {

struct ClippedUpdate {
  int64_t update = 0;
  double loss = 0;      ///< of the batch, before the update
  double norm = 0;      ///< of the gradient of all parameters together, before clipping
  double step = 0;      ///< ||change of the parameters|| / learning rate: the norm after clipping
  double cosine = 0;    ///< between the change and the negative gradient: 1 where the direction is kept
  double half_way = 0;  ///< median over the batch of ||dL/ds_{T-k}|| / ||dL/ds_T||, k = T / 2
};

/// Trains by plain SGD, whose step is the clipped gradient itself.
/// @return each update; of one whose gradient is infinite or NaN, which is not applied, step and cosine are
/// 0.
/// @throws ConfigError for another optimiser, a grid, or more than one layer.
std::vector<ClippedUpdate> trace_clipping(const Problem& problem, const Options& options, Backend& backend,
                                          const std::function<void(const ClippedUpdate&)>& tell);

}  // namespace rondo::diagnostics
