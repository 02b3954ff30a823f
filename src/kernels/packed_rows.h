// Packed rows: a batch of sequences without padding, time-major, the longest sequence first.
// The lesson's [[1..5],[6,7,8],[9]] packs to the rows 1 6 9 | 2 7 | 3 8 | 4 | 5: step counts 3 2 2 1 1.
#pragma once

#include <cstdint>
#include <span>

namespace rondo {

/// Where the rows of each step and sequence stand. Sequences are numbered 0 .. sequences-1 by falling length;
/// those that are alive at step t are 0 .. count(t)-1. Empty sequences stand last and have no row.
struct PackedRows {
  std::span<const int64_t>
      offsets;            ///< [steps+1]; offsets[t] is the first row of step t, offsets[steps] = R.
  int64_t sequences = 0;  ///< N, the empty ones included.

  int64_t steps() const { return offsets.empty() ? 0 : static_cast<int64_t>(offsets.size()) - 1; }
  int64_t rows() const { return offsets.empty() ? 0 : offsets.back(); }
  int64_t count(int64_t t) const { return offsets[t + 1] - offsets[t]; }
  int64_t row(int64_t t, int64_t n) const { return offsets[t] + n; }
};

}  // namespace rondo
