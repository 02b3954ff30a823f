// The weights of one direction, packed for the forward pass: for one call or for many.
#pragma once

#include "base/threads.h"
#include "kernels/cpu/packed_weights.h"
#include "kernels/recurrent.h"

namespace rondo {

/// What the forward pass multiplies with.
struct ForwardWeights {
  int64_t D = 0, H = 0, P = 0, G = 0, S = 0;
  PackedWeights input;          ///< W
  PackedWeights state;          ///< U, of the gates that h enters
  PackedWeights candidate;      ///< gru with reset before: U of n, which r*h enters
  PackedWeights project;        ///< lstm with projection
  const float* bias = nullptr;  ///< [S*H]: b_ih + b_hh; of gru with reset after b_in and, apart, b_hn
  ConstRows table;              ///< [V, S*H] the pre-activations of all inputs, or not given

  /// @param streams  for few sequences at a time: see WeightSource.
  ForwardWeights(FloatMemory& memory, const CellKind& kind, const RecurrentWeights& w, Precision precision,
                 bool streams);
};

/// The same in memory of its own.
class CpuPackedRecurrent final : public PackedRecurrent {
 public:
  CpuPackedRecurrent(ThreadPool& pool, const CellKind& kind, const RecurrentWeights& w, Precision precision,
                     ConstMatrix embedding, bool streams);

  const ForwardWeights& weights() const { return weights_; }
  int64_t table_rows() const { return table_rows_; }

 private:
  OwnedFloats memory_;
  ForwardWeights weights_;
  int64_t table_rows_ = 0;
};

/// pre-activations [R, S*H] = W x + bias, of rows of x, or of the table.
void multiply_input(ThreadPool& pool, const ForwardWeights& w, ConstRows x, int64_t rows, Rows to);

}  // namespace rondo
