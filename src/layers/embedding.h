// A table of one vector a token, and the lookup that reads it.
//   Embedding embedding(set, {.vocabulary = 20000, .dimension = 100});
//   DistinctRows x = embedding.forward(tape, ids);   // what a recurrent stack takes
#pragma once

#include <span>

#include "layers/distinct_rows.h"
#include "tensor/parameter.h"
#include "tensor/tape.h"

namespace rondo {

struct EmbeddingShape {
  int64_t vocabulary = 0;
  int64_t dimension = 0;
  DType type = DType::kFloat32;
  /// Gradients of the rows that were read alone; else of the whole table, as an output layer that shares it
  /// needs.
  bool sparse = true;
};

class Embedding {
 public:
  /// Adds "embedding.weight" [V, D], zeros until its owner fills it (initialize.h, vectors or a file).
  Embedding(ParameterSet& set, const EmbeddingShape& shape);

  /// Row r is table[ids[r]]; a token that occurs twice is looked up once. While training, each word *type* is
  /// dropped (all its places at once) with `type_dropout` and the others are scaled by 1/(1-type_dropout).
  /// @throws DataError if an id is outside the table.
  /// Source of the dropout: Gal & Ghahramani 2016; Merity et al. 2017.
  DistinctRows forward(Tape& tape, std::span<const int32_t> ids, double type_dropout = 0) const;

  /// @throws DataError if an id is outside the table.
  void check(std::span<const int32_t> ids) const;
  Parameter& table() const { return table_; }

 private:
  /// The vectors x of `types` on the tape, their gradient going to row_gradient or to the whole table's.
  Variable sparse_result(Tape& tape, const Tensor& x, const Tensor& mask, std::vector<int32_t> types) const;
  Variable dense_result(Tape& tape, const Tensor& x, const Tensor& mask, std::vector<int32_t> types) const;

  Parameter& table_;
};

}  // namespace rondo
