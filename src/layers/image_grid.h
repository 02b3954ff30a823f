// A Grid LSTM of three dimensions over images cut into patches: depth, down the rows, along the columns.
//   ImageGrid grid(set, {.input = 16, .hidden = 100, .layers = 4, .along = {Along::kLstm, Along::kLstm,
//   Along::kLstm}}); Variable y = grid.forward(tape, patches, {.rows = 7, .columns = 7, .images = 32});   //
//   [7*7*32, 200]
// Any image source gives its patches as rows: patch (r, c) of image n is row (r*columns + c)*images + n.
#pragma once

#include "layers/grid_block.h"

namespace rondo {

class ImageGrid {
 public:
  /// @param corners  the layers begin at the four corners in turn, clockwise; else all at the top left.
  /// @throws ConfigError unless the shape has three dimensions.
  ImageGrid(ParameterSet& set, const GridShape& shape, bool corners = true);

  void initialize(Initialization rule, double forget_bias, const Stream& stream) {
    blocks_.initialize(rule, forget_bias, stream);
  }
  /// @param x  [R, D], R = rows*columns*images.  @return h and m at the top of depth [R, 2H], or h [R, H].
  /// @throws ShapeError for another R or D.
  /// Cost: 2 * R * layers * 9 * 4 * H^2 operations with cells along all dimensions.
  Variable forward(Tape& tape, const Variable& x, const PatchGrid& patches,
                   Precision precision = Precision::kFloat32) const;
  const GridShape& shape() const { return blocks_.shape(); }

 private:
  GridBlocks blocks_;
  bool corners_;
};

/// Patch by patch to image by image: [patches*N, D] -> [N, patches*D].
Variable patches_side_by_side(const Variable& y, int64_t images);

}  // namespace rondo
