// A convolution over the steps of each sequence: how a word's characters are read in windows.
//   Convolution convolution(set, {.input = 30, .filters = 30, .window = 3});
//   Variable y = convolution.forward(characters, edge, packing);   // [R, 30], then pool(Pool::kMax, ...)
#pragma once

#include "layers/distinct_rows.h"
#include "layers/initialize.h"
#include "tensor/packing.h"
#include "tensor/parameter.h"

namespace rondo {

struct ConvolutionShape {
  int64_t input = 0;
  int64_t filters = 0;
  int64_t window = 3;  ///< odd: as many steps before a step as behind it
  DType type = DType::kFloat32;
};

/// y[t] = b + sum over o of W_o x[t + o],  o = -window/2 .. window/2; outside the sequence stands the vector
/// of its edge, which is learnt like any other instead of being zero.
/// Parameters conv.weight [F, window*D], the windows' places side by side, and conv.bias [F].
/// Source: Collobert et al. 2011; over characters: dos Santos & Zadrozny 2014, Ma & Hovy 2016.
/// Cost: 2*U*window*D*F operations for U different rows of x, and R*window*F additions.
class Convolution {
 public:
  /// @throws ConfigError unless the window is odd.
  Convolution(ParameterSet& set, const ConvolutionShape& shape);
  void initialize(Initialization rule, const Stream& stream);

  /// @param x     R packed rows and one more, the edge: x.rows has R + 1 entries.
  /// @return      [R, F].  @throws ShapeError for other rows or columns.
  Variable forward(const DistinctRows& x, const Packing& packing) const;

 private:
  ConvolutionShape shape_;
  Parameter &weight_, &bias_;
};

}  // namespace rondo
