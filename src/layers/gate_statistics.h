// How far a recurrent layer's gates stand open, counted over the rows of traced passes.
//   Tape tape(backend, {.tracing = true});  GateStatistics gates;
//   gates.add(stack.forward(tape, x, packing).traces, stack.options());
//   for (const GateShare& share : gates.shares()) ...   // "layer 0, forget gate: 12 % above 0.9"
// Source: Karpathy, Johnson & Li 2016, "Visualizing and Understanding Recurrent Networks": a gate below 0.1
// is left-saturated (shut), one above 0.9 right-saturated (open).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "layers/recurrent.h"

namespace rondo {

/// Which direction of which layer.
struct GatePlace {
  std::string part;        ///< "", or "encoder" and "decoder" of a translator
  int64_t layer = 0;       ///< from 0
  bool reverse = false;    ///< the second direction
  int64_t dimension = -1;  ///< of a grid: 0 its depth, 1 its time; else -1

  bool operator==(const GatePlace&) const = default;
  /// "encoder layer 2, backwards": layers from 1, for people.
  std::string words() const;
};

/// One gate of one direction: the shares of its units and rows that are shut or open.
struct GateShare {
  GatePlace place;
  /// i f o, r z, those that have weights; h of an rnn with tanh, whose ends are -0.9 and 0.9.
  std::string gate;
  double low = 0;   ///< below 0.1
  double high = 0;  ///< above 0.9
};

/// Rows of each unit of one gate at its ends.
struct GateCounts {
  std::string gate;
  std::vector<int64_t> low, high;  ///< [H]
};

/// What one direction did over all rows that were added.
struct DirectionStatistics {
  GatePlace place;
  int64_t rows = 0;
  std::vector<GateCounts> gates;
  /// [P] sums over rows of each hidden unit less its first value, and of their squares: a unit that never
  /// moves has a variance of exactly 0.
  std::vector<float> first;
  std::vector<double> sum, sum_of_squares;

  /// Of a hidden unit over the rows; 0 without rows.
  double variance(int64_t unit) const;
};

class GateStatistics {
 public:
  static constexpr float kLow = 0.1F, kHigh = 0.9F;

  /// @param part  see GatePlace. float32 traces alone.  Cost: one reading of the gates and hidden states.
  void add(std::span<const RecurrentTrace> traces, const RecurrentOptions& options,
           const std::string& part = "");
  /// In the order in which they were met.
  const std::vector<DirectionStatistics>& directions() const { return directions_; }
  /// One of each gate; none for a direction that had no rows.
  std::vector<GateShare> shares() const;

 private:
  DirectionStatistics& at(const GatePlace& place);

  std::vector<DirectionStatistics> directions_;
};

}  // namespace rondo
