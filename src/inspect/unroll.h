// The arithmetic of one unit of a recurrent layer, step by step with the numbers of a text: what a cell's
// equations are when they are computed by hand.
//   const Unrolled steps = unroll(tracer, tracer.trace("a fast web server"), {.unit = 3});
//   std::string page = unrolled_text(steps);   // i = s(W x + U h + b) = s(0.21 - 0.03 + 0.10) = 0.5695 ...
// Sums are computed anew from the weights in double; each result stands beside what the model computed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/options.h"
#include "inspect/trace.h"

namespace rondo {

struct UnitOptions {
  int64_t unit = 0;
  int64_t layer = 0;
  bool reverse = false;
  std::string part;
  std::string steps;

  template <class Visitor>
  void visit(Visitor& v) {
    v("unit", unit, "which of the layer's units, from 0", Range{0, 65535});
    v("layer", layer, "which layer, from 0: the one that reads the tokens", Range{0, 63});
    v("reverse", reverse, "the direction that reads from the end");
    v("part", part,
      "encoder or decoder of a translator, which begin with the encoder; characters of a tagger that reads "
      "them by an LSTM");
    v("steps", steps, "from one step to another, from 0, such as 2-5; one alone, such as 3; all if left out");
  }
};

/// One gate of one step: value = activation(sum of the terms).
struct UnrolledGate {
  std::string name;
  std::string activation;  ///< "s" (logistic), "tanh", "relu", or "" for none
  /// "W x", "U h" (gru, reset before: "U (r*h)"), "b", and of peepholes "p*c" or "p*c'". Of n of a gru with
  /// reset after "W x", "b_in", "r", "U h", "b_hn": W x + b_in + r*(U h + b_hn).
  std::vector<std::pair<std::string, double>> terms;
  double sum = 0, value = 0;
  double traced = 0;  ///< what the model computed
};

struct UnrolledStep {
  int64_t step = 0;  ///< in the order of the text
  std::string token;
  /// In the order of their computation; i of a coupled lstm and r of a coupled gru have no terms.
  std::vector<UnrolledGate> gates;
  double c_before = 0, c = 0, c_traced = 0;  ///< lstm
  /// Of projected layers what enters the projection, lstm_output().
  double h_before = 0, h = 0, h_traced = 0;
  /// Of projected layers: output `unit` of the projection, where there are as many.
  bool projects = false;
  double projected = 0, projected_traced = 0;
};

struct Unrolled {
  std::string model, kind, cell, precision, part;
  int64_t layer = 0, unit = 0, units = 0, inputs = 0, states = 0;
  bool reverse = false;
  CellKind cell_kind;
  bool has_projection = false;
  std::vector<UnrolledStep> steps;  ///< in the order of reading
  /// The largest difference between a number and what the model computed, over the greater of it and 1.
  double largest_difference = 0;

  /// What sums of float32 in another order differ by at most, in practice.
  static constexpr double kTolerance = 1e-5;
  bool equals_trace() const { return largest_difference <= kTolerance; }
};

/// @param trace  of this tracer.
/// @throws ConfigError for a unit, layer, direction, part or step that is not there, a grid, and int8.
Unrolled unroll(const Tracer& tracer, const TextTrace& trace, const UnitOptions& options);

/// As a textbook has it; its last line says whether the numbers equal the trace.
std::string unrolled_text(const Unrolled& unrolled);
nlohmann::ordered_json unrolled_json(const Unrolled& unrolled);

}  // namespace rondo
