// The inner multiplication: a tile of rows times a few panels of packed weights.
#pragma once

#include <cstdint>

#include "kernels/array.h"

namespace rondo {

/// c[i, j] = start[i, j] + a[i, 0]*b[0, j] + a[i, 1]*b[1, j] + ..., one chain of fused multiply-adds in this
/// order for each element, over `panels` panels of `vectors` vectors of columns.
/// a and b hold words (see words.h) of the precision that the kernel is for, k and the steps count words, and
/// c and start hold float32, with kInt8 int32.
struct Tile {
  static constexpr int kMaxPanels = 4;

  /// kInt8: what the whole sums stand for. c = start + rows[i] * columns[j] * sum, float32.
  struct Scale {
    const float* rows = nullptr;  ///< null: leave the sums as they are
    const float* columns[kMaxPanels] = {};
    const float* start[kMaxPanels] = {};  ///< null: zeros; may be c
    int64_t start_row = 0;
    float* c[kMaxPanels] = {};
    int64_t c_row = 0;
  };

  const float* a = nullptr;  ///< element (i, k) at a[i*a_row + k*a_k]
  int64_t a_row = 0, a_k = 1;
  bool a_packed = false;  ///< a holds tile after tile, each [k][rows]: see each_tile
  const float* b =
      nullptr;  ///< panel q's row k at b[q*b_panel + k*b_k]; whole vectors, zeros behind the last column
  int64_t b_k = 0, b_panel = 0;
  const float* ahead = nullptr;  ///< k cache lines that the first cache shall have for a later tile, or null
  int64_t k = 0;
  int rows = 1;                         ///< at most TileKernels::max_rows
  int panels = 1;                       ///< at most TileKernels::panels(rows)
  int vectors = 2;                      ///< 1 or 2: the width of a panel
  bool fetch = false;                   ///< vectors is 2, rows are few, and b stands beyond the second cache
  int64_t columns = 0;                  ///< columns of each panel that exist: c and start end there
  const float* start[kMaxPanels] = {};  ///< of each panel; null: zeros
  int64_t start_row[kMaxPanels] = {};   ///< 0: one row for all (a bias)
  float* c[kMaxPanels] = {};            ///< may be start: adds in place
  int64_t c_row = 0;
  Scale scale = {};

  /// Rows below the first `height`.
  void advance(int height);
};

/// A panel of a matrix [k, n] (or of its transpose) to pack: rows of `width` floats, `packed_k` apart.
struct Panel {
  const float* b = nullptr;  ///< element (k, j) at b[k*b_k + j*b_column]
  int64_t b_k = 0, b_column = 1;
  int64_t k = 0, columns = 0;
  int64_t width = 0;  ///< columns rounded up to whole vectors
  int64_t packed_k = 0;
  float* packed = nullptr;
};

/// The kernels of one instruction set.
struct TileKernels {
  int64_t lanes = 0;
  int max_rows = 0;
  /// Panels that fit the registers beside so many rows.
  int (*panels)(int rows) = nullptr;
  void (*multiply_float32)(const Tile& tile) = nullptr;
  void (*multiply_bfloat16)(const Tile& tile) = nullptr;
  void (*multiply_int8)(const Tile& tile) = nullptr;
  void (*pack)(const Panel& panel) = nullptr;

  using Multiply = void (*)(const Tile& tile);
  Multiply multiply(Precision precision) const {
    return precision == Precision::kFloat32    ? multiply_float32
           : precision == Precision::kBfloat16 ? multiply_bfloat16
                                               : multiply_int8;
  }
};

/// For the instruction set in use.
const TileKernels& tile_kernels();

/// Floats of one panel between two stores of the sums: 32 KiB stay in the first cache.
inline constexpr int64_t kPieceFloats = 8192;
/// So many rows read packed weights as one stream; more rows share what the caches hold.
inline constexpr int kStreamRows = 3;

/// Panels that fit beside the tallest of the tiles that `rows` rows are cut into.
inline int panel_limit(const TileKernels& kernels, int64_t rows) {
  const int64_t tiles = (rows + kernels.max_rows - 1) / kernels.max_rows;
  return kernels.panels(static_cast<int>((rows + tiles - 1) / tiles));
}

/// Heights of the tiles that `rows` rows are cut into, nearly equal: calls body(first row, height).
template <class Body>
void each_tile(const TileKernels& kernels, int64_t rows, Body&& body) {
  int64_t row = 0;
  for (int64_t tiles = (rows + kernels.max_rows - 1) / kernels.max_rows; tiles > 0; --tiles) {
    const int64_t height = (rows - row + tiles - 1) / tiles;
    body(row, static_cast<int>(height));
    row += height;
  }
}

/// Any number of rows, tile after tile.
void multiply_rows(const TileKernels& kernels, Precision precision, Tile tile, int64_t rows);

}  // namespace rondo
