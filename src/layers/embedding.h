// A table of one vector a token, and the lookup that reads it.
//   Embedding embedding(set, {.vocabulary = 20000, .dimension = 100}, Stream(seed));  Variable x =
//   embedding.forward(tape, ids);
#pragma once

#include <span>

#include "tensor/parameter.h"
#include "tensor/tape.h"

namespace rondo {

struct EmbeddingShape {
  int64_t vocabulary = 0;
  int64_t dimension = 0;
  DType type = DType::kFloat32;
};

class Embedding {
 public:
  /// Adds "embedding.weight" [V, D], zeros until its owner fills it (initialize.h, vectors or a file).
  Embedding(ParameterSet& set, const EmbeddingShape& shape);

  /// x[r] = table[ids[r]] -> [R, D]; while training, each word *type* is dropped (all its places at once)
  /// with `type_dropout` and the others are scaled by 1/(1-type_dropout).
  /// @throws DataError if an id is outside the table.
  /// Source of the dropout: Gal & Ghahramani 2016; Merity et al. 2017.
  Variable forward(Tape& tape, std::span<const int32_t> ids, double type_dropout = 0) const;

  Parameter& table() const { return table_; }

 private:
  Parameter& table_;
};

}  // namespace rondo
