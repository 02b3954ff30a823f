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

// Accumulators that fit beside the operands: 24 of 32 registers, 12 of 16.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
inline constexpr int kMaxRows = 12;
inline constexpr int kAccumulators = 24;
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

template <int kRows, int kPanels, int kVectors>
HWY_NOINLINE void multiply_tile(const Tile& t) {
  constexpr int kWidth = kPanels * kVectors;
  Vector sum[kRows][kWidth];
  for (int q = 0; q < kPanels; ++q) {
    for (int v = 0; v < kVectors; ++v) {
      const int64_t left = t.columns - v * kLanes;
      for (int i = 0; i < kRows; ++i) {
        const float* start = t.start[q];
        sum[i][q * kVectors + v] =
            start == nullptr ? zero() : load_first(start + i * t.start_row[q] + v * kLanes, left);
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
  for (int q = 0; q < kPanels; ++q) {
    for (int v = 0; v < kVectors; ++v) {
      const int64_t left = t.columns - v * kLanes;
      for (int i = 0; i < kRows; ++i) {
        store_first(sum[i][q * kVectors + v], t.c[q] + i * t.c_row + v * kLanes, left);
      }
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

void multiply(const Tile& tile) { multiply_rows<kMaxRows>(tile); }

int panels(int rows) { return panels_beside(rows); }

// Columns that stand side by side in memory are copied, else walked 16 at a time so that the cache lines of
// a column are used whole.
void pack(const Panel& p) {
  constexpr int64_t kBlock = 16;
  for (int64_t k0 = 0; k0 < p.k; k0 += kBlock) {
    const int64_t k1 = HWY_MIN(k0 + kBlock, p.k);
    for (int64_t j = 0; j < p.columns && p.b_column != 1; ++j) {
      const float* from = p.b + j * p.b_column;
      for (int64_t k = k0; k < k1; ++k) p.packed[k * p.width + j] = from[k * p.b_k];
    }
    for (int64_t k = k0; k < k1; ++k) {
      float* to = p.packed + k * p.width;
      for (int64_t j = 0; j < p.columns && p.b_column == 1; ++j) to[j] = p.b[k * p.b_k + j];
      for (int64_t j = p.columns; j < p.width; ++j) to[j] = 0;
    }
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
