// A stack of recurrent layers over packed rows: RNN, LSTM, GRU, one or both directions, with dropout at five
// places.
//   RecurrentStack lstm(set, /*input=*/100, {.hidden = 128, .bidirectional = true});
//   RecurrentOutput out = lstm.forward(tape, x, packing);   // out.y [R, 2*128], out.h_n[layer*2 + direction]
//   [N, 128]
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layers/distinct_rows.h"
#include "layers/recurrent_options.h"
#include "tensor/packing.h"
#include "tensor/parameter.h"
#include "tensor/tape.h"

namespace rondo {

struct DirectionInputs;
class GridStack;

/// The states of a stack between two passes, index layer*directions + direction, sequences in packed order.
/// Empty vectors mean zeros; c is for lstm alone.
struct RecurrentState {
  std::vector<Variable> h;  ///< each [N, P], of its layer
  std::vector<Variable> c;  ///< each [N, H]
};

/// The weights of a stack as a backend keeps them for many passes that record nothing: see
/// RecurrentStack::prepare. They are a copy: later changes of the parameters do not reach it.
struct PreparedStack {
  const Backend* backend = nullptr;  ///< whose they are
  Precision precision = Precision::kFloat32;
  /// Index layer*directions + direction; null where the backend prepares nothing.
  /// Of a grid: see packed_index.
  std::vector<std::shared_ptr<PackedRecurrent>> packed;
  int64_t table_rows = 0;  ///< tokens whose inputs of the first layer stand in a table; 0: there is none
  std::vector<Tensor> tables = {};  ///< of a grid: the tokens projected, of each direction
};

/// What a stack reads.
struct RecurrentInput {
  DistinctRows x;                           ///< [R, D], or with `ids` nothing
  std::span<const int32_t> ids = {};        ///< [R] rows of the prepared table
  const PreparedStack* prepared = nullptr;  ///< or null: the parameters in the options' precision
};

/// What one direction of one layer did, when the tape is tracing. A grid leaves one of each of its
/// dimensions: gates, cells (m) and hidden (h) of the rows [R] of time, and of those of depth.
struct RecurrentTrace {
  int64_t layer = 0;
  bool reverse = false;
  int64_t dimension = 1;  ///< of a grid: 0 is its depth
  int64_t stage = -1;     ///< of a grid that is computed in stages, and of a decoder that goes step by step:
                          ///< the rows are those of this stage alone
  Tensor input;           ///< [R, D] what it read, a row a place
  Tensor h0, c0;          ///< [N, P], [N, H] the states before the first step; empty: zeros
  Tensor gates;           ///< [R, S*H], CellKind::saved_blocks
  Tensor cells;           ///< [R, H] (lstm)
  Tensor hidden;          ///< [R, directions*P]: the layer's output; this direction's columns are its own
  Tensor d_states;        ///< [R, H or P]: filled by Tape::backward, see RecurrentDirectionBackward::d_states
};

struct RecurrentOutput {
  Variable y;            ///< [R, directions*P]: outputs of the top layer
  RecurrentState final;  ///< state after each sequence's own end, in packed order
  std::vector<RecurrentTrace> traces;
};

/// Parameters carry PyTorch's names after the cell's: lstm.weight_ih_l0, .weight_hh_l0, .bias_ih_l0,
/// .bias_hh_l0, .weight_hr_l0 (projection), .weight_peephole_l0 (ours), and _reverse for the second
/// direction. Gate order i f g o, r z n, those that have weights: coupled f g o, z n. Initialisation torch:
/// everything U(+-1/sqrt(H)). keras: w_ih Glorot-uniform and w_hh orthogonal over all gates at once, biases
/// zero, forget bias 1. Cell grid: parameters and initialisation are those of GridBlocks.
class RecurrentStack {
 public:
  /// @throws ConfigError from RecurrentOptions::check().
  RecurrentStack(ParameterSet& set, int64_t input, const RecurrentOptions& options,
                 DType type = DType::kFloat32);

  void initialize(const Stream& stream);

  /// @param x  [R, D] packed rows.  @throws ShapeError for another D or R; ConfigError to record a pass in
  /// int8, or to record or train with prepared weights.
  /// Cost: 2*R*G*H*(D+P) operations a layer and direction; three times that with the backward pass.
  RecurrentOutput forward(Tape& tape, const Variable& x, const Packing& packing,
                          const RecurrentState& initial = {}) const {
    return forward(tape, RecurrentInput{.x = {x, {}}}, packing, initial);
  }
  RecurrentOutput forward(Tape& tape, const RecurrentInput& input, const Packing& packing,
                          const RecurrentState& initial = {}) const;

  /// Packs the weights as they are now for passes on this backend; with `embedding` [V, D] also the table of
  /// the first layer's inputs of all tokens. The same bits as without, for less work a pass.
  /// @param streams  for one to three sequences at a time.
  PreparedStack prepare(Backend& backend, Precision precision, const Tensor& embedding = {},
                        bool streams = false) const;
  /// Bytes of that table for V tokens.
  int64_t table_bytes(int64_t vocabulary) const;
  /// Views of the parameters of direction `index` (layer*directions + direction); not of a grid.
  RecurrentWeights weights(int64_t index) const;

  const RecurrentOptions& options() const { return options_; }
  /// What does the work with cell grid; else null.
  const GridStack* grid() const { return grid_.get(); }
  int64_t input_size() const { return input_; }
  int64_t output_size() const { return options_.directions() * options_.output(); }

 private:
  struct Direction {
    Parameter *w_ih, *w_hh, *b_ih, *b_hh;
    Parameter* w_hr = nullptr;
    Parameter* peepholes = nullptr;
  };
  Direction add_direction(ParameterSet& set, int64_t layer, const std::string& suffix, DType type);
  void initialize(const Direction& direction, const Stream& stream) const;
  /// What direction `index` (layer*directions + direction) of a pass works on, its dropout drawn.
  DirectionInputs inputs(Tape& tape, int64_t index, const Packing& packing,
                         const RecurrentState& initial) const;
  void check(const Tape& tape, const RecurrentInput& input, const Packing& packing) const;

  RecurrentOptions options_;
  int64_t input_;
  std::vector<Direction> directions_;  ///< index layer*directions + direction; none with a grid
  std::shared_ptr<GridStack> grid_;
};

}  // namespace rondo
