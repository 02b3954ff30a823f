#include "kernels/cpu/tile.h"

#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/tile.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include "kernels/cpu/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rondo {
namespace HWY_NAMESPACE {

// Accumulators that fit beside the operands: 24 of 32 registers, 12 of 16. Rows by measurement: 12 would fit
// 32 registers too, but their addresses do not fit the others (240 GF/s against 256 with 8, Zen 5).
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
inline constexpr int kMaxRows = 8;
inline constexpr int kAccumulators = 24;
#elif HWY_TARGET == HWY_SCALAR
inline constexpr int kMaxRows = 4;
inline constexpr int kAccumulators = 8;
#else
inline constexpr int kMaxRows = 6;
inline constexpr int kAccumulators = 12;
#endif

// Few rows take several panels at once: 8 independent chains hide the latency of a multiply-add without a
// second phase of k, which would change the order of the sums.
constexpr int panels_beside(int rows) {
  const int panels = kAccumulators / (2 * rows);
  return panels >= 4 ? 4 : panels >= 3 ? 3 : panels >= 2 ? 2 : 1;
}

/// Every loop over `sum` is unrolled, or it would live in memory. No column is missing.
template <int kRows, int kPanels, int kVectors>
HWY_NOINLINE void multiply_tile(const Tile& t) {
  constexpr int kWidth = kPanels * kVectors;
  Vector sum[kRows][kWidth];
#pragma GCC unroll 8
  for (int w = 0; w < kWidth; ++w) {
    const int64_t first = w % kVectors * kLanes;
    const float* start = t.start[w / kVectors];
    const int64_t start_row = t.start_row[w / kVectors];
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      if (start == nullptr) {
        sum[i][w] = zero();
      } else {
        sum[i][w] = load(start + i * start_row + first);
      }
    }
  }
  const float* HWY_RESTRICT a = t.a;
  const float* HWY_RESTRICT b = t.b;
  const int64_t a_row = t.a_row;
  const int64_t a_k = t.a_k;
  const int64_t b_k = t.b_k;
  const int64_t b_panel = t.b_panel;
  for (int64_t k = t.k; k > 0; --k) {
    Vector column[kWidth];
#pragma GCC unroll 8
    for (int w = 0; w < kWidth; ++w) {
      column[w] = load(b + (w / kVectors) * b_panel + (w % kVectors) * kLanes);
    }
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      const Vector value = set(a[i * a_row]);
#pragma GCC unroll 8
      for (int w = 0; w < kWidth; ++w) sum[i][w] = hn::MulAdd(value, column[w], sum[i][w]);
    }
    a += a_k;
    b += b_k;
  }
#pragma GCC unroll 8
  for (int w = 0; w < kWidth; ++w) {
    const int64_t first = w % kVectors * kLanes;
    float* c = t.c[w / kVectors] + first;
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      store(sum[i][w], c + i * t.c_row);
    }
  }
}

template <int kRows, int kPanels>
void multiply_panels(const Tile& t) {
  if constexpr (kPanels > 1) {
    if (t.panels < kPanels) return multiply_panels<kRows, kPanels - 1>(t);
  }
  if (t.vectors == 2) return multiply_tile<kRows, kPanels, 2>(t);
  multiply_tile<kRows, kPanels, 1>(t);
}

template <int kRows>
void multiply_rows(const Tile& t) {
  if constexpr (kRows > 1) {
    if (t.rows < kRows) return multiply_rows<kRows - 1>(t);
  }
  multiply_panels<kRows, panels_beside(kRows)>(t);
}

/// from[i, 0 .. columns-1] to to[i, ..].
void copy_columns(const float* from, int64_t from_row, float* to, int64_t to_row, int64_t rows,
                  int64_t columns) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; j += kLanes) {
      store_first(load_first(from + i * from_row + j, columns - j), to + i * to_row + j, columns - j);
    }
  }
}

/// The last columns of a matrix do not fill their panel: the tile works on a copy that is wide enough.
void multiply_padded(const Tile& t) {
  constexpr int64_t kWidth = 2 * kLanes;
  HWY_ALIGN float padded[kAccumulators * kWidth] = {};  // rows * panels of 2 vectors each fit
  Tile whole = t;
  whole.columns = t.vectors * kLanes;
  whole.c_row = kWidth;
  for (int q = 0; q < t.panels; ++q) {
    whole.c[q] = padded + q * t.rows * kWidth;
    if (t.start[q] == nullptr) continue;
    copy_columns(t.start[q], t.start_row[q], whole.c[q], kWidth, t.rows, t.columns);
    whole.start[q] = whole.c[q];
    whole.start_row[q] = kWidth;
  }
  multiply_rows<kMaxRows>(whole);
  for (int q = 0; q < t.panels; ++q) copy_columns(whole.c[q], kWidth, t.c[q], t.c_row, t.rows, t.columns);
}

void multiply(const Tile& tile) {
  if (tile.columns == tile.vectors * kLanes) return multiply_rows<kMaxRows>(tile);
  multiply_padded(tile);
}

int panels(int rows) { return panels_beside(rows); }

void pack_rows(const Panel& p) {
  for (int64_t k = 0; k < p.k; ++k) {
    for (int64_t j = 0; j < p.width; j += kLanes) {
      const int64_t left = p.columns - j;
      store(left > 0 ? load_first(p.b + k * p.b_k + j, left) : zero(), p.packed + k * p.width + j);
    }
  }
}

/// Columns j0 .. j1-1 of rows k0 .. , one by one.
void pack_one_by_one(const Panel& p, int64_t k0, int64_t j0, int64_t j1) {
  for (int64_t k = k0; k < p.k; ++k) {
    for (int64_t j = j0; j < j1; ++j) {
      p.packed[k * p.width + j] = j < p.columns ? p.b[k * p.b_k + j * p.b_column] : 0;
    }
  }
}

#if HWY_TARGET != HWY_SCALAR
/// Four floats from each of the D's blocks' columns: block b from p + b*step.
template <class D>
HWY_INLINE hn::Vec<D> load_blocks(D d, const float* p, int64_t step) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return hn::LoadU(d, p);
  } else {
    const hn::Half<D> half;
    constexpr int64_t kBlocks = hn::MaxLanes(hn::Half<D>()) / 4;
    return hn::Combine(d, load_blocks(half, p + kBlocks * step, step), load_blocks(half, p, step));
  }
}

/// A vector of columns at a time, four rows of k each: 4x4 transposes inside the blocks of vectors.
int64_t pack_four_rows(const Panel& p, int64_t j) {
  const hn::RepartitionToWide<Lanes> pairs;
  const int64_t step = 4 * p.b_column;
  int64_t k = 0;
  for (; k + 4 <= p.k; k += 4) {
    const float* from = p.b + j * p.b_column + k;
    const Vector a = load_blocks(Lanes(), from, step);
    const Vector b = load_blocks(Lanes(), from + p.b_column, step);
    const Vector c = load_blocks(Lanes(), from + 2 * p.b_column, step);
    const Vector d = load_blocks(Lanes(), from + 3 * p.b_column, step);
    const auto ab_low = hn::BitCast(pairs, hn::InterleaveLower(Lanes(), a, b));
    const auto ab_high = hn::BitCast(pairs, hn::InterleaveUpper(Lanes(), a, b));
    const auto cd_low = hn::BitCast(pairs, hn::InterleaveLower(Lanes(), c, d));
    const auto cd_high = hn::BitCast(pairs, hn::InterleaveUpper(Lanes(), c, d));
    float* to = p.packed + k * p.width + j;
    store(hn::BitCast(Lanes(), hn::InterleaveLower(pairs, ab_low, cd_low)), to);
    store(hn::BitCast(Lanes(), hn::InterleaveUpper(pairs, ab_low, cd_low)), to + p.width);
    store(hn::BitCast(Lanes(), hn::InterleaveLower(pairs, ab_high, cd_high)), to + 2 * p.width);
    store(hn::BitCast(Lanes(), hn::InterleaveUpper(pairs, ab_high, cd_high)), to + 3 * p.width);
  }
  return k;
}
#else
int64_t pack_four_rows(const Panel&, int64_t) { return 0; }
#endif

void pack(const Panel& p) {
  if (p.b_column == 1) return pack_rows(p);
  for (int64_t j = 0; j < p.width; j += kLanes) {
    const bool whole = p.b_k == 1 && j + kLanes <= p.columns;
    pack_one_by_one(p, whole ? pack_four_rows(p, j) : 0, j, j + kLanes);
  }
}

const TileKernels* tile_table() {
  static constexpr TileKernels kTable{kLanes, kMaxRows, panels, multiply, pack};
  return &kTable;
}

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rondo {
HWY_EXPORT(tile_table);

const TileKernels& tile_kernels() { return *HWY_DYNAMIC_DISPATCH(tile_table)(); }

}  // namespace rondo
#endif
