// The inner multiplication: a tile of rows times a few panels of packed weights.
#pragma once

#include <cstdint>

namespace rondo {

/// c[i, j] = start[i, j] + a[i, 0]*b[0, j] + a[i, 1]*b[1, j] + ..., one chain of fused multiply-adds in this
/// order for each element, over `panels` panels of `vectors` vectors of columns.
struct Tile {
  static constexpr int kMaxPanels = 4;

  const float* a = nullptr;  ///< element (i, k) at a[i*a_row + k*a_k]
  int64_t a_row = 0, a_k = 1;
  const float* b =
      nullptr;  ///< panel q's row k at b[q*b_panel + k*b_k]; whole vectors, zeros behind the last column
  int64_t b_k = 0, b_panel = 0;
  int64_t k = 0;
  int rows = 1;                         ///< at most TileKernels::max_rows
  int panels = 1;                       ///< at most TileKernels::panels(rows)
  int vectors = 2;                      ///< 1 or 2: the width of a panel
  int64_t columns = 0;                  ///< columns of each panel that exist: c and start end there
  const float* start[kMaxPanels] = {};  ///< of each panel; null: zeros
  int64_t start_row[kMaxPanels] = {};   ///< 0: one row for all (a bias)
  float* c[kMaxPanels] = {};            ///< may be start: adds in place
  int64_t c_row = 0;
};

/// A matrix [k, n] (or its transpose) to pack: panel after panel, each [k][vectors * lanes].
struct Panel {
  const float* b = nullptr;  ///< element (k, j) at b[k*b_k + j*b_column]
  int64_t b_k = 0, b_column = 1;
  int64_t k = 0, columns = 0;
  int64_t width = 0;  ///< floats of a packed row: columns rounded up to whole vectors
  float* packed = nullptr;
};

/// The kernels of one instruction set.
struct TileKernels {
  int64_t lanes = 0;
  int max_rows = 0;
  /// Panels that fit the registers beside so many rows.
  int (*panels)(int rows) = nullptr;
  void (*multiply)(const Tile& tile) = nullptr;
  void (*pack)(const Panel& panel) = nullptr;
};

/// For the instruction set in use.
const TileKernels& tile_kernels();

}  // namespace rondo
