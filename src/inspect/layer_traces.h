// What the layers of a stack left on a tape (RecurrentTrace), as the series that a reader asks for.
//   trace.layers = layer_traces(pass.traces, {.name = "", .options = options, .rows = text_rows(T)});
#pragma once

#include <string>
#include <vector>

#include "inspect/trace.h"
#include "layers/recurrent.h"

namespace rondo {

struct TracedPart {
  std::string name;
  const RecurrentOptions& options;
  std::vector<int64_t> rows;  ///< [T] the packed row of each step, in the order of the text
};

/// 0 .. steps-1: the rows of a text that is alone in its batch.
std::vector<int64_t> text_rows(int64_t steps);

/// The cell that carries states along this dimension (-1: the stack is no grid).
CellKind traced_kind(const RecurrentOptions& options, int64_t dimension);

/// @param traces  of one pass over one text, in any order. d_states are taken as they are now: after
///                Tape::backward.
std::vector<LayerTrace> layer_traces(const std::vector<RecurrentTrace>& traces, const TracedPart& part);

/// Gives `layers` the d_states of the same layers of a recording pass.
void take_gradients(std::vector<LayerTrace>& layers, std::vector<LayerTrace> recorded);

}  // namespace rondo
