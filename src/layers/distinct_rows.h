// Rows of which many are the same, as a text's tokens are: each is held once, and a list says who has which.
//   DistinctRows words = embedding.forward(tape, ids);   // words.x [U, D], words.rows [R]
//   Variable x = gather(words);                          // [R, D], where a row a place is needed
#pragma once

#include <vector>

#include "tensor/tape.h"

namespace rondo {

struct DistinctRows {
  Variable x;                 ///< [U, D]
  std::vector<int32_t> rows;  ///< [R] row r is x[rows[r]]; empty: x holds every row itself, U = R

  int64_t num_rows() const { return rows.empty() ? x.matrix().rows : static_cast<int64_t>(rows.size()); }
};

/// y[r] = x[rows[r]] -> [R, D]; x itself where it holds every row.
Variable gather(const DistinctRows& distinct);

/// On a tape that traces: the same with a row a place, so that its values and, when recording, its gradient
/// can be read place by place, even where nothing below it learns. On any other tape x as it is.
DistinctRows observed(DistinctRows x);

}  // namespace rondo
