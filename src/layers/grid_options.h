// What a Grid LSTM over texts can be told beside hidden size and layers, declared once.
//   RecurrentOptions options{.cell = Cell::kGrid, .hidden = 100, .layers = 6, .grid = {.tied_layers = true}};
// Source: Kalchbrenner, Danihelka & Graves 2015, "Grid Long Short-Term Memory" (arXiv 1507.01526).
#pragma once

#include "base/options.h"
#include "kernels/recurrent.h"

namespace rondo {

/// What carries the states along one dimension of a grid. A dimension without cells is a linear map with or
/// without a non-linearity on it, h' = a(V H).
enum class Along { kLstm, kIdentity, kTanh, kRelu, kNone };

/// The dimension that is computed last, and so sees what the others have just made.
enum class Priority { kDepth, kTime, kNone };

/// Where the output gate stands: inside of the tanh, h' = tanh(o*m'), as the paper prints it, or outside,
/// h' = o*tanh(m'), as in every other LSTM.
enum class OutputGate { kInside, kOutside };

template <>
inline constexpr auto kNames<Along> = std::array{
    std::pair{Along::kLstm, "lstm"}, std::pair{Along::kIdentity, "identity"}, std::pair{Along::kTanh, "tanh"},
    std::pair{Along::kRelu, "relu"}, std::pair{Along::kNone, "none"}};
template <>
inline constexpr auto kNames<Priority> =
    std::array{std::pair{Priority::kDepth, "depth"}, std::pair{Priority::kTime, "time"},
               std::pair{Priority::kNone, "none"}};
template <>
inline constexpr auto kNames<OutputGate> =
    std::array{std::pair{OutputGate::kInside, "inside"}, std::pair{OutputGate::kOutside, "outside"}};

struct GridOptions {
  bool tied_layers = false;
  Along along_depth = Along::kLstm;
  Along along_time = Along::kLstm;
  Priority priority = Priority::kDepth;
  OutputGate output_gate = OutputGate::kInside;

  template <class Visitor>
  void visit(Visitor& v) {
    v("tied-layers", tied_layers, "cell grid: all layers share one set of weights");
    v("along-depth", along_depth, "cell grid: what carries the states from layer to layer (not none)");
    v("along-time", along_time,
      "cell grid: what carries them from step to step; none: every token goes through the layers alone");
    v("priority", priority,
      "cell grid: the dimension computed last, which sees what the other has just made");
    v("output-gate", output_gate, "cell grid: inside, h = tanh(o*m), or outside of the tanh, h = o*tanh(m)");
  }

  /// Grids have depth, and time unless it is none.
  int64_t dimensions() const { return along_time == Along::kNone ? 1 : 2; }
  /// States of `hidden` numbers that leave the top of a grid: h and m, or h alone.
  int64_t outputs() const { return along_depth == Along::kLstm ? 2 : 1; }
  bool operator==(const GridOptions&) const = default;
};

/// The cell that carries states so.
CellKind kind_along(Along along, OutputGate gate);

/// Numbers of one block of a grid of so many dimensions, all dimensions together, in double.
double block_values(const GridOptions& options, int64_t hidden);
/// Floating-point operations of its multiplications.
double block_operations(const GridOptions& options, int64_t hidden);

}  // namespace rondo
