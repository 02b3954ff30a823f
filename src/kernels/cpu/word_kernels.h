// Rounding to and from the numbers of narrow precisions, by SIMD.
#pragma once

#include <cstdint>

namespace rondo {

/// The kernels of one instruction set.
struct WordKernels {
  /// to = x rounded to the nearest bfloat16, ties to even.
  void (*bfloat16_row)(const float* x, int64_t count, uint16_t* to);
  /// Word j holds first[j] below second[j]; `second` null: zeros.
  void (*bfloat16_pairs)(const float* first, const float* second, int64_t count, float* to);
  /// The largest size among x.
  float (*largest_size)(const float* x, int64_t count);
  /// to = x*factor to the nearest whole number, cut off at -127 and 127, plus 128.
  void (*bytes_row)(const float* x, int64_t count, float factor, uint8_t* to);
};

/// For the instruction set in use.
const WordKernels& word_kernels();

}  // namespace rondo
