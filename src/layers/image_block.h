// Pictures seen through windows: a block of a convolutional network.
//   ImageBlock block(set, "0", {.input = 3, .filters = 16});
//   Variable y = block.forward(x, {.rows = 64, .columns = 64, .images = 32});   // [32*32*32, 16]
// Pixel (r, c) of image n is row (r * columns + c) * images + n, as patches are in layers/image_grid.h.
#pragma once

#include <string>

#include "layers/grid_layout.h"
#include "tensor/parameter.h"
#include "tensor/tape.h"

namespace rondo {

struct ImageBlockShape {
  int64_t input = 0;    ///< columns of a pixel
  int64_t filters = 0;  ///< columns of a pixel of the result
  DType type = DType::kFloat32;
};

/// y = max over 2x2 pixels of relu(b + sum over dy, dx in -1 .. 1 of W_dy,dx x[r + dy, c + dx]); outside the
/// picture stand zeros. An odd last row or column takes part in the windows, not in the result.
/// Parameters NAME.weight [F, 9*D], the windows' places side by side (dy, then dx), and NAME.bias [F].
/// The windows of all pixels are one matrix, and the convolution one product: the order of its sums depends
/// neither on threads nor on the other pictures.
/// Cost: 2*9*D*F operations a pixel; memory of 9*D numbers a pixel.
class ImageBlock {
 public:
  ImageBlock(ParameterSet& set, const std::string& name, const ImageBlockShape& shape);
  /// Weights U(+-sqrt(6 / fan_in)), bias 0.  Source: He et al. 2015.
  void initialize(const Stream& stream);

  /// The picture behind the block.
  static PatchGrid result(const PatchGrid& grid) { return {grid.rows / 2, grid.columns / 2, grid.images}; }
  /// x [R, D], R = rows*columns*images -> [R', F].
  /// @throws ShapeError for another R or D, or a picture below 2x2.
  Variable forward(const Variable& x, const PatchGrid& grid, Precision precision = Precision::kFloat32) const;

 private:
  ImageBlockShape shape_;
  Parameter &weight_, &bias_;
};

}  // namespace rondo
