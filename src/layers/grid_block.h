// The block of a Grid LSTM, and the blocks of all layers of one grid.
// A block of N dimensions gets hidden states h_1 .. h_N and memories m_1 .. m_N, one of each a dimension, and
// hands on as many. With H = [h_1; ...; h_N] and weights of its own for each dimension i
//   (h_i', m_i') = LSTM(H, m_i):   i,f,o = s(W H + b), g = tanh(W H + b), m' = f*m + i*g, h' = tanh(o*m')
// or, without cells, h_i' = a(V H + b). A priority dimension is computed last, from the h' of the others.
// A block is a step of the recurrent kernels: H without its last part is their x, the last part their h.
// Source: Kalchbrenner, Danihelka & Graves 2015, sections 3.1 to 3.5.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "layers/grid_layout.h"
#include "layers/grid_options.h"
#include "layers/initialize.h"
#include "layers/recurrent.h"
#include "tensor/parameter.h"
#include "tensor/tape.h"

namespace rondo {

struct GridShape {
  int64_t input = 0;   ///< D: numbers that are projected to the h and m at the bottom of depth
  int64_t hidden = 0;  ///< H of every dimension
  int64_t layers = 1;
  std::vector<Along> along = {Along::kLstm, Along::kLstm};  ///< each dimension; the first is depth
  int64_t priority = 0;                                     ///< the dimension computed last; -1: none is
  OutputGate output_gate = OutputGate::kInside;
  bool tied_layers = false;
  std::string suffix = {};  ///< of the parameters' names
  DType type = DType::kFloat32;

  int64_t dimensions() const { return static_cast<int64_t>(along.size()); }
  CellKind kind(int64_t dimension) const {
    return kind_along(along[static_cast<size_t>(dimension)], output_gate);
  }
  /// Numbers that enter and leave along depth: h and m, or h alone.
  int64_t depth_columns() const { return hidden * (along[0] == Along::kLstm ? 2 : 1); }
  /// @throws ConfigError for no dimension or more than three, and for a dimension that carries nothing.
  void check() const;
};

/// The states of some rows, one of each a dimension. A memory is empty where a dimension has no cells.
struct GridStates {
  std::vector<Variable> h, m;  ///< each [R, H]
};

/// The weights of one dimension of one block, on a tape.
struct GridWeights {
  CellKind kind;
  Variable w_ih, w_hh, bias, zeros;
  std::shared_ptr<const PackedRecurrent> packed;  ///< or null: packed in each call
};
using BlockWeights = std::vector<GridWeights>;

/// What one dimension did with all its rows at once.
struct GridTransform {
  Variable h, m;  ///< [R, H]; m empty without cells
  std::vector<RecurrentTrace> traces;
};

struct TransformInput {
  DistinctRows x;  ///< all of H but its last part; no x: there is none
  Variable h;      ///< [R, H] the last part of H
  Variable m;      ///< [R, H], or empty
  Precision precision = Precision::kFloat32;
};
/// (h', m') of one dimension for R rows that do not depend on each other.
GridTransform grid_transform(Tape& tape, const GridWeights& weights, const TransformInput& in);

/// Parameters of one grid: weight_input_l0 [H or 2H, D] and bias_input_l0, which project an input to h and m,
/// and weight_depth_l0 [4H, N*H], bias_depth_l0 [4H], weight_time_l0 (images: weight_row_l0,
/// weight_column_l0) and so on of each layer, or of l0 alone with tied layers. Blocks of rows i f g o, one
/// block without cells; blocks of columns h_depth, h_time. All names begin with "grid.".
class GridBlocks {
 public:
  /// @throws ConfigError as GridShape::check().
  GridBlocks(ParameterSet& set, GridShape shape);
  /// Weights U(+-1/sqrt(fan_in)), with keras Glorot-uniform; biases 0, of forget gates `forget_bias` (keras:
  /// and 1).
  void initialize(Initialization rule, double forget_bias, const Stream& stream);

  /// The weights of all layers. Those that layers share are sliced and packed once.
  /// @param weight_dropout  share of what multiplies the states of all dimensions but depth that is dropped.
  std::vector<BlockWeights> on_tape(Tape& tape, Precision precision, double weight_dropout = 0) const;
  /// x [R, D] -> [R, depth_columns()].
  Variable project(const Variable& x, Precision precision) const;

  /// Views of the parameters of one dimension of one layer.
  RecurrentWeights weights(int64_t layer, int64_t dimension) const;
  ConstMatrix input_weight() const { return input_weight_->value.matrix(); }
  ConstMatrix input_bias() const { return input_bias_->value.matrix(); }
  const GridShape& shape() const { return shape_; }
  /// Layers with weights of their own.
  int64_t different_layers() const { return shape_.tied_layers ? 1 : shape_.layers; }

 private:
  struct Dimension {
    Parameter *weight, *bias;
  };
  const Dimension& dimension(int64_t layer, int64_t dimension) const;

  GridShape shape_;
  Parameter *input_weight_, *input_bias_;
  std::vector<Dimension> dimensions_;  ///< index layer*N + dimension
  Tensor zeros_;                       ///< [4H]: the second bias of the kernels
};

/// One layer over rows in stages (GridLayout), for grids of any dimensions and any priority.
struct StagedLayer {
  Variable h, m;                                ///< [R, H] along depth, stored
  std::vector<std::vector<Variable>> stages_h;  ///< [dimension][stage], in the order of stages; 0 is empty
  std::vector<std::vector<Variable>> stages_m;
  std::vector<RecurrentTrace> traces;  ///< one a dimension and stage
};
struct StagedInput {
  Variable h, m;       ///< [R, H] along depth, stored
  GridStates initial;  ///< of each dimension but depth ([0] is not read): [layout.initial, H]
  int64_t priority = 0;
  Precision precision = Precision::kFloat32;
};
StagedLayer staged_layer(Tape& tape, const BlockWeights& block, const GridLayout& layout,
                         const StagedInput& in);

}  // namespace rondo
