// In which order the blocks of one layer of a grid are computed, and whose states enter each: rows that are
// ready at the same time form a stage.
//   GridLayout time = sequence_layout(packing, /*reverse=*/false);   // a stage a step
//   GridLayout image = image_layout({.rows = 7, .columns = 7, .images = 32}, Corner::kTopLeft);   //
//   diagonals
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/packing.h"

namespace rondo {

/// Rows have two orders: that of storage, in which a layer's input and output stand, and that of stages.
struct GridLayout {
  /// Where stage s begins in the order of stages; one more than there are stages.
  std::vector<int64_t> offsets;
  std::vector<int32_t> order;  ///< [R] the stored row of each row in the order of stages
  /// Of each dimension but depth: [R], in the order of stages, which row of the stage before hands over its
  /// state, counted from that stage's first; or -1-k: the initial state k, for a row at the edge.
  std::vector<std::vector<int32_t>> before;
  int64_t initial = 0;  ///< initial states a dimension

  int64_t stages() const { return offsets.empty() ? 0 : static_cast<int64_t>(offsets.size()) - 1; }
  int64_t num_rows() const { return static_cast<int64_t>(order.size()); }
};

/// Packed sequences along time; initial state n is that of packed sequence n.
/// @param reverse  begins at each sequence's own last row.
GridLayout sequence_layout(const Packing& packing, bool reverse);

/// Where a pass over images begins; it ends in the opposite corner.
enum class Corner { kTopLeft, kTopRight, kBottomRight, kBottomLeft };

/// Images of patches, stored patch by patch: row (r * columns + c) * images + n is patch (r, c) of image n.
struct PatchGrid {
  int64_t rows = 0, columns = 0, images = 0;
};

/// Two dimensions, down the rows and along the columns; a stage is a diagonal. One initial state, for all.
GridLayout image_layout(const PatchGrid& grid, Corner corner);

}  // namespace rondo
