// Everything that a recurrent stack can be told, declared once.
#pragma once

#include "base/options.h"
#include "kernels/recurrent.h"
#include "layers/grid_options.h"
#include "layers/initialize.h"

namespace rondo {

enum class Nonlinearity { kTanh, kRelu };
enum class Reset { kAfter, kBefore };

template <>
inline constexpr auto kNames<Cell> = std::array{std::pair{Cell::kRnn, "rnn"}, std::pair{Cell::kLstm, "lstm"},
                                                std::pair{Cell::kGru, "gru"}, std::pair{Cell::kGrid, "grid"}};
template <>
inline constexpr auto kNames<Precision> =
    std::array{std::pair{Precision::kFloat32, "f32"}, std::pair{Precision::kBfloat16, "bf16"},
               std::pair{Precision::kInt8, "int8"}};
template <>
inline constexpr auto kNames<Nonlinearity> =
    std::array{std::pair{Nonlinearity::kTanh, "tanh"}, std::pair{Nonlinearity::kRelu, "relu"}};
template <>
inline constexpr auto kNames<Reset> =
    std::array{std::pair{Reset::kAfter, "after"}, std::pair{Reset::kBefore, "before"}};
template <>
inline constexpr auto kNames<Initialization> =
    std::array{std::pair{Initialization::kTorch, "torch"}, std::pair{Initialization::kKeras, "keras"}};

template <>
inline constexpr auto kNames<Ablation> = std::array{
    std::pair{Ablation::kNone, "nothing"},           std::pair{Ablation::kInputGate, "input-gate"},
    std::pair{Ablation::kForgetGate, "forget-gate"}, std::pair{Ablation::kOutputGate, "output-gate"},
    std::pair{Ablation::kInputTanh, "input-tanh"},   std::pair{Ablation::kOutputTanh, "output-tanh"}};

struct RecurrentOptions {
  Cell cell = Cell::kLstm;
  int64_t hidden = 128;
  int64_t layers = 1;
  int64_t last_hidden = 0;
  bool bidirectional = false;
  Nonlinearity nonlinearity = Nonlinearity::kTanh;
  Reset reset = Reset::kAfter;
  bool peepholes = false;
  bool coupled = false;
  Ablation without = Ablation::kNone;
  int64_t projection = 0;
  GridOptions grid;
  Initialization init = Initialization::kTorch;
  double forget_bias = 0;
  double input_dropout = 0;
  double dropout = 0;
  bool locked_dropout = false;
  double state_dropout = 0;
  double weight_dropout = 0;
  Precision precision = Precision::kFloat32;

  template <class Visitor>
  void visit(Visitor& v) {
    v("cell", cell, "recurrent cell");
    v("hidden", hidden, "units of each direction of each layer", Range{1, 65536});
    v("layers", layers, "recurrent layers, each over the outputs of the one below", Range{1, 64});
    v("last-hidden", last_hidden,
      "units of each direction of the last layer (two layers or more); 0: as the others", Range{0, 65536});
    v("bidirectional", bidirectional, "read the text in both directions");
    v("nonlinearity", nonlinearity, "of cell rnn");
    v("reset", reset,
      "cell gru: reset gate after the recurrent product (PyTorch, cuDNN) or before it (Cho 2014)");
    v("peepholes", peepholes, "cell lstm: gates see the cell state");
    v("coupled", coupled,
      "cell lstm: input gate = 1 - forget gate; cell gru: reset gate = 1 - update gate (minimal gated unit)");
    v("without", without,
      "cell lstm: one gate that is 1, or one tanh that is left out (the ablations of Greff 2017); without "
      "output-tanh nothing bounds the states, and carried over a long text they diverge");
    v("projection", projection, "cell lstm: project the output to this size; 0 is none", Range{0, 65536});
    grid.visit(v);
    v("init", init, "initial weights by the rules of this framework");
    v("forget-bias", forget_bias,
      "added to the initial forget bias of cells lstm and grid (init keras starts from 1)", Range{-20, 20});
    v("input-dropout", input_dropout, "share of embedding outputs dropped", Range{0, 0.99});
    v("dropout", dropout, "share dropped between layers (two layers or more)", Range{0, 0.99});
    v("locked-dropout", locked_dropout,
      "--input-dropout and --dropout (a tagger's --output-dropout too) draw one mask a text, the same at "
      "every step");
    v("state-dropout", state_dropout,
      "share of the state dropped before the recurrent product, one mask a text", Range{0, 0.99});
    v("weight-dropout", weight_dropout, "share of the recurrent weights dropped, one mask a step",
      Range{0, 0.99});
    v("precision", precision,
      "of the products: bf16 trains and runs with operands of half the size (weights, sums and cell states "
      "stay float32); int8 only runs, see rondo quantize");
  }

  /// Whether a forget bias has an effect.
  bool has_forget_gates() const {
    return (cell == Cell::kLstm && without != Ablation::kForgetGate) ||
           (is_grid() && (grid.along_depth == Along::kLstm || grid.along_time == Along::kLstm));
  }
  /// @param drops_outputs  whether a dropout above the stack heeds locked_dropout too.
  /// @throws ConfigError for an option that has no effect beside the others: silence would hide a mistake.
  void check(bool drops_outputs = false) const;
  /// What the kernels compute; of a grid along time.
  CellKind kind() const;
  int64_t directions() const { return bidirectional ? 2 : 1; }
  /// H of this layer.
  int64_t hidden_of(int64_t layer) const {
    return last_hidden > 0 && layer == layers - 1 ? last_hidden : hidden;
  }
  bool is_grid() const { return cell == Cell::kGrid; }
  /// P of this layer: columns of one direction's output. Of a grid: h and m along depth.
  int64_t output_of(int64_t layer) const {
    if (is_grid()) return hidden * grid.outputs();
    return projection > 0 ? projection : hidden_of(layer);
  }
  /// Numbers of a layer's states h and c between two steps, one direction; of a grid those of time.
  int64_t state_of(int64_t layer) const {
    if (is_grid()) return grid.dimensions() > 1 ? hidden : 0;
    return output_of(layer);
  }
  int64_t cell_state_of(int64_t layer) const {
    if (is_grid()) return grid.along_time == Along::kLstm ? hidden : 0;
    return kind().has_cell_state() ? hidden_of(layer) : 0;
  }
  /// D of this layer over vectors of `input` numbers.
  int64_t input_of(int64_t layer, int64_t input) const {
    return layer == 0 ? input : directions() * output_of(layer - 1);
  }
  /// P of the top layer.
  int64_t output() const { return output_of(layers - 1); }
  /// Numbers that the parameters of a stack over `input` hold; in double, for hostile sizes overflow
  /// integers.
  double num_values(int64_t input) const;
  /// Floating-point operations of the forward multiplications a token, likewise.
  double operations(int64_t input) const;

 private:
  void check_grid() const;
};

}  // namespace rondo
