// The multiplication with packed weights: every element one chain of multiply-adds over k (promise 2).
#pragma once

#include "base/threads.h"
#include "kernels/backend.h"
#include "kernels/cpu/tile.h"

namespace rondo {

/// Product of float32 operands whose shapes agree. Small ones stay on the caller's thread.
void cpu_product(ThreadPool& pool, const Product& p);

/// One call of the tile kernel for each group of rows: rows are cut into equal tiles of at most max_rows.
/// `tile` has everything but rows; a, start and c point at row 0.
void multiply_rows(const TileKernels& kernels, Tile tile, int64_t rows);

}  // namespace rondo
