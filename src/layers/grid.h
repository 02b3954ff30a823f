// A Grid LSTM over texts: depth and time (or depth alone), one grid a direction. It stands behind
// RecurrentStack with cell grid, whose words it speaks.
//   RecurrentStack grid(set, 64, {.cell = Cell::kGrid, .hidden = 100, .layers = 6, .grid = {.tied_layers =
//   true}});
// Inputs are projected to h and m at the bottom of depth; outputs are h and m at its top, side by side. The
// states in between texts are those of time, h and m of each layer.
#pragma once

#include <vector>

#include "layers/grid_block.h"

namespace rondo {

/// The shape of one direction of the grid that these options describe.
GridShape grid_shape(const RecurrentOptions& options, int64_t input, bool reverse, DType type);

class GridStack {
 public:
  GridStack(ParameterSet& set, int64_t input, const RecurrentOptions& options, DType type);

  void initialize(const Stream& stream);
  /// As RecurrentStack::forward. Where time does not wait for depth, which is so unless time is the priority,
  /// a layer runs all its steps in one pass of the recurrent kernels and then depth for all rows at once;
  /// else step by step.
  RecurrentOutput forward(Tape& tape, const RecurrentInput& input, const Packing& packing,
                          const RecurrentState& initial) const;
  PreparedStack prepare(Backend& backend, Precision precision, const Tensor& embedding, bool streams) const;

  const GridBlocks& blocks(int64_t direction) const { return grids_.at(static_cast<size_t>(direction)); }
  const RecurrentOptions& options() const { return options_; }

 private:
  struct Run;
  RecurrentOptions options_;
  std::vector<GridBlocks> grids_;  ///< one a direction
};

/// The outputs of each sequence's last step, directions side by side [N, directions*P]; that of a direction
/// that reads in reverse is its first row. An empty sequence gives zeros.  @param y  [R, directions*P].
Variable final_rows(const Variable& y, const Packing& packing, const RecurrentOptions& options);

/// The index of a block's weights in PreparedStack::packed.
size_t packed_index(const GridShape& shape, int64_t direction, int64_t layer, int64_t dimension);

}  // namespace rondo
