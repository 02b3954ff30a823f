// Rounding to and from the numbers of narrow precisions, by SIMD.
#pragma once

#include <cstdint>

#include "kernels/cpu/cells.h"

namespace rondo {

/// c = start + scale of the row * column_scales * sums, over rows of `columns`; `start` may be c, or a row
/// for all (step 0), or not given. Rows of sums hold int32 and end on whole vectors.
struct ScaledSums {
  ConstRows sums;
  const float* row_scales = nullptr;
  const float* column_scales = nullptr;
  ConstRows start;
  Rows c;
  int64_t rows = 0, columns = 0;
};

/// The kernels of one instruction set.
struct WordKernels {
  /// to = x rounded to the nearest bfloat16, ties to even.
  void (*bfloat16_row)(const float* x, int64_t count, uint16_t* to);
  /// Word j holds first[j] below second[j]; `second` null: zeros.
  void (*bfloat16_pairs)(const float* first, const float* second, int64_t count, float* to);
  /// The largest size among x.
  float (*largest)(const float* x, int64_t count);
  /// to = x*factor to the nearest whole number, cut off at -127 and 127, plus 128.
  void (*bytes_row)(const float* x, int64_t count, float factor, uint8_t* to);
  void (*add_scaled)(const ScaledSums& s);
};

/// For the instruction set in use.
const WordKernels& word_kernels();

}  // namespace rondo
