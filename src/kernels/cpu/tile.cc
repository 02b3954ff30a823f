#include "kernels/cpu/tile.h"

#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/tile.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/cache_control.h>

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

// Few rows may ask for weights that no cache near them holds: so many rows of k ahead.
inline constexpr int64_t kAhead = 6;

// Few rows take several panels at once: 8 independent chains hide the latency of a multiply-add without a
// second phase of k, which would change the order of the sums.
constexpr int panels_beside(int rows) {
  const int panels = kAccumulators / (2 * rows);
  return panels >= 4 ? 4 : panels >= 3 ? 3 : panels >= 2 ? 2 : 1;
}

using Integers = hn::RebindToSigned<Lanes>;
using Bits = hn::RebindToUnsigned<Lanes>;

/// sum + a*b for words of each precision; a is one word in all lanes.
struct Float32 {
  static constexpr bool kWhole = false;  // sums are float32
  static HWY_INLINE Vector add(Vector sum, Vector a, Vector b) { return hn::MulAdd(a, b, sum); }
};

/// Widened: a bfloat16 is the upper half of a float32. The odd number first, as vdpbf16ps adds.
struct Bfloat16 {
  static constexpr bool kWhole = false;
  static HWY_INLINE Vector even(Vector v) {
    return hn::BitCast(Lanes(), hn::ShiftLeft<16>(hn::BitCast(Bits(), v)));
  }
  static HWY_INLINE Vector odd(Vector v) {
    return hn::BitCast(Lanes(), hn::And(hn::BitCast(Bits(), v), hn::Set(Bits(), 0xFFFF0000U)));
  }
  static HWY_INLINE Vector add(Vector sum, Vector a, Vector b) {
    return hn::MulAdd(even(a), even(b), hn::MulAdd(odd(a), odd(b), sum));
  }
};

/// Widened: a is unsigned, b signed.
struct Int8 {
  static constexpr bool kWhole = true;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
  // Pairs of 16-bit numbers, whose products the processor adds in 32 bits.
  static HWY_INLINE Vector add(Vector sum, Vector a, Vector b) {
    const hn::Repartition<int16_t, Lanes> signed16;
    const hn::Repartition<uint16_t, Lanes> unsigned16;
    const auto wide_a = hn::BitCast(unsigned16, a);
    const auto wide_b = hn::BitCast(signed16, b);
    const auto even_a = hn::BitCast(signed16, hn::And(wide_a, hn::Set(unsigned16, 0xFF)));
    const auto odd_a = hn::BitCast(signed16, hn::ShiftRight<8>(wide_a));
    const auto even_b = hn::ShiftRight<8>(hn::ShiftLeft<8>(wide_b));
    const auto odd_b = hn::ShiftRight<8>(wide_b);
    auto unused = hn::Zero(Integers());
    auto whole = hn::BitCast(Integers(), sum);
    whole = hn::ReorderWidenMulAccumulate(Integers(), even_a, even_b, whole, unused);
    whole = hn::ReorderWidenMulAccumulate(Integers(), odd_a, odd_b, whole, unused);
    return hn::BitCast(Lanes(), whole);
  }
#else
  template <int kByte>
  static HWY_INLINE hn::Vec<Integers> product(Vector a, Vector b) {
    const auto left = hn::And(hn::ShiftRight<8 * kByte>(hn::BitCast(Bits(), a)), hn::Set(Bits(), 0xFF));
    const auto right = hn::ShiftRight<24>(hn::ShiftLeft<24 - 8 * kByte>(hn::BitCast(Integers(), b)));
    return hn::Mul(hn::BitCast(Integers(), left), right);
  }
  static HWY_INLINE Vector add(Vector sum, Vector a, Vector b) {
    const auto low = hn::Add(product<0>(a, b), product<1>(a, b));
    const auto high = hn::Add(product<2>(a, b), product<3>(a, b));
    return hn::BitCast(Lanes(), hn::Add(hn::BitCast(Integers(), sum), hn::Add(low, high)));
  }
#endif
};

#if HWY_TARGET == HWY_AVX3
// The instructions of later processors, which Highway 1.0 has no names for: tile_table() asks for them first.
struct NativeBfloat16 {
  static constexpr bool kWhole = false;
  static HWY_INLINE Vector add(Vector sum, Vector a, Vector b) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
    return sum;
  }
};
struct NativeInt8 {
  static constexpr bool kWhole = true;
  static HWY_INLINE Vector add(Vector sum, Vector a, Vector b) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
    return sum;
  }
};
#endif

/// Columns `first` .. of row i of panel q, `count` of them.
HWY_INLINE void store_scaled(const Tile::Scale& scale, Vector sum, int i, int q, int64_t first,
                             int64_t count) {
  const Vector whole = hn::ConvertTo(Lanes(), hn::BitCast(Integers(), sum));
  const Vector factor = hn::Mul(set(scale.rows[i]), load_first(scale.columns[q] + first, count));
  const float* start = scale.start[q];
  const Vector begun = start == nullptr ? zero() : load_first(start + i * scale.start_row + first, count);
  store_first(hn::MulAdd(whole, factor, begun), scale.c[q] + i * scale.c_row + first, count);
}

/// Every loop over `sum` is unrolled, or it would live in memory. No column is missing.
template <class Arithmetic, int kRows, int kPanels, int kVectors, bool kFetch>
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
  // Rows of c stand far apart, where no processor guesses them: those of the next tile are asked for now.
  if (kRows == kMaxRows && t.start_row[0] != 0) {
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) hwy::Prefetch(t.start[0] + (kRows + i) * t.start_row[0]);
    for (int i = 0; i < kRows; ++i) hwy::Prefetch(t.start[0] + (kRows + i) * t.start_row[0] + kLanes);
  }
  const float* HWY_RESTRICT a = t.a;
  const float* HWY_RESTRICT b = t.b;
  const float* ahead = t.ahead == nullptr ? b : t.ahead;
  const int64_t a_row = t.a_row;
  const int64_t a_k = t.a_k;
  const int64_t b_k = t.b_k;
  const int64_t b_panel = t.b_panel;
  for (int64_t k = t.k; k > 0; --k) {
    Vector column[kWidth];
#pragma GCC unroll 8
    for (int w = 0; w < kWidth; ++w) {
      const float* from = b + (w / kVectors) * b_panel + (w % kVectors) * kLanes;
      if (kFetch) hwy::Prefetch(from + kAhead * b_k);
      column[w] = load(from);
    }
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      const Vector value = set(a[i * a_row]);
#pragma GCC unroll 8
      for (int w = 0; w < kWidth; ++w) sum[i][w] = Arithmetic::add(sum[i][w], value, column[w]);
    }
    if (kRows == kMaxRows) {
      __builtin_prefetch(ahead, 0, 3);
      ahead += 16;  // floats of a cache line
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
      if (Arithmetic::kWhole && t.scale.rows != nullptr) {
        store_scaled(t.scale, sum[i][w], i, w / kVectors, first, kLanes);
      } else {
        store(sum[i][w], c + i * t.c_row);
      }
    }
  }
}

template <class Arithmetic, int kRows, int kPanels>
void multiply_panels(const Tile& t) {
  if constexpr (kPanels > 1) {
    if (t.panels < kPanels) return multiply_panels<Arithmetic, kRows, kPanels - 1>(t);
  }
  constexpr bool kFew = kRows <= kStreamRows;
  if (kFew && t.fetch) return multiply_tile<Arithmetic, kRows, kPanels, 2, kFew>(t);
  if (t.vectors == 2) return multiply_tile<Arithmetic, kRows, kPanels, 2, false>(t);
  multiply_tile<Arithmetic, kRows, kPanels, 1, false>(t);
}

template <class Arithmetic, int kRows>
void multiply_height(const Tile& t) {
  if constexpr (kRows > 1) {
    if (t.rows < kRows) return multiply_height<Arithmetic, kRows - 1>(t);
  }
  multiply_panels<Arithmetic, kRows, panels_beside(kRows)>(t);
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
template <class Arithmetic>
void multiply_padded(const Tile& t) {
  constexpr int64_t kWidth = 2 * kLanes;
  HWY_ALIGN float padded[kAccumulators * kWidth] = {};  // rows * panels of 2 vectors each fit
  Tile whole = t;
  whole.columns = t.vectors * kLanes;
  whole.c_row = kWidth;
  whole.scale.rows = nullptr;
  for (int q = 0; q < t.panels; ++q) {
    whole.c[q] = padded + q * t.rows * kWidth;
    if (t.start[q] == nullptr) continue;
    copy_columns(t.start[q], t.start_row[q], whole.c[q], kWidth, t.rows, t.columns);
    whole.start[q] = whole.c[q];
    whole.start_row[q] = kWidth;
  }
  multiply_height<Arithmetic, kMaxRows>(whole);
  for (int q = 0; q < t.panels; ++q) {
    if (Arithmetic::kWhole && t.scale.rows != nullptr) {
      for (int i = 0; i < t.rows; ++i) {
        for (int64_t j = 0; j < t.columns; j += kLanes) {
          store_scaled(t.scale, load(whole.c[q] + i * kWidth + j), i, q, j, t.columns - j);
        }
      }
    } else {
      copy_columns(whole.c[q], kWidth, t.c[q], t.c_row, t.rows, t.columns);
    }
  }
}

template <class Arithmetic>
void multiply(const Tile& tile) {
  if (tile.columns == tile.vectors * kLanes) return multiply_height<Arithmetic, kMaxRows>(tile);
  multiply_padded<Arithmetic>(tile);
}

int panels(int rows) { return panels_beside(rows); }

void pack_rows(const Panel& p) {
  for (int64_t k = 0; k < p.k; ++k) {
    for (int64_t j = 0; j < p.width; j += kLanes) {
      const int64_t left = p.columns - j;
      store(left > 0 ? load_first(p.b + k * p.b_k + j, left) : zero(), p.packed + k * p.packed_k + j);
    }
  }
}

/// Columns j0 .. j1-1 of rows k0 .. , one by one.
void pack_one_by_one(const Panel& p, int64_t k0, int64_t j0, int64_t j1) {
  for (int64_t k = k0; k < p.k; ++k) {
    for (int64_t j = j0; j < j1; ++j) {
      p.packed[k * p.packed_k + j] = j < p.columns ? p.b[k * p.b_k + j * p.b_column] : 0;
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
    float* to = p.packed + k * p.packed_k + j;
    store(hn::BitCast(Lanes(), hn::InterleaveLower(pairs, ab_low, cd_low)), to);
    store(hn::BitCast(Lanes(), hn::InterleaveUpper(pairs, ab_low, cd_low)), to + p.packed_k);
    store(hn::BitCast(Lanes(), hn::InterleaveLower(pairs, ab_high, cd_high)), to + 2 * p.packed_k);
    store(hn::BitCast(Lanes(), hn::InterleaveUpper(pairs, ab_high, cd_high)), to + 3 * p.packed_k);
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
  static const TileKernels kTable = [] {
    TileKernels table{kLanes, kMaxRows, panels, multiply<Float32>, multiply<Bfloat16>, multiply<Int8>, pack};
#if HWY_TARGET == HWY_AVX3
    if (__builtin_cpu_supports("avx512bf16")) table.multiply_bfloat16 = multiply<NativeBfloat16>;
    if (__builtin_cpu_supports("avx512vnni")) table.multiply_int8 = multiply<NativeInt8>;
#endif
    return table;
  }();
  return &kTable;
}

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rondo {
HWY_EXPORT(tile_table);

const TileKernels& tile_kernels() { return *HWY_DYNAMIC_DISPATCH(tile_table)(); }

void Tile::advance(int height) {
  a += height * (a_packed ? k : a_row);
  if (scale.rows != nullptr) scale.rows += height;
  for (int q = 0; q < panels; ++q) {
    if (start[q] != nullptr) start[q] += height * start_row[q];
    c[q] += height * c_row;
    if (scale.rows == nullptr) continue;
    if (scale.start[q] != nullptr) scale.start[q] += height * scale.start_row;
    scale.c[q] += height * scale.c_row;
  }
}

void multiply_rows(const TileKernels& kernels, Precision precision, Tile tile, int64_t rows) {
  const TileKernels::Multiply multiply = kernels.multiply(precision);
  // The second and third tile (the first waits for its own b) ask for the two lines a row of the piece of b
  // that comes next.
  const float* next = tile.ahead;
  each_tile(kernels, rows, [&](int64_t row, int height) {
    tile.rows = height;
    const int64_t part = row > 0 ? (row - 1) / kernels.max_rows : 2;
    tile.ahead = next != nullptr && part < 2 ? next + part * tile.k * 16 : nullptr;
    if (tile.a_packed) tile.a_k = height;
    multiply(tile);
    tile.advance(height);
  });
}

}  // namespace rondo
#endif
