#include "kernels/cpu/words.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu/word_kernels.h"

namespace rondo {

namespace {

/// Rows of words that begin on a cache line; what stands behind the last number is zero.
Rows make_words(ScratchFrame& frame, Precision precision, int64_t rows, int64_t columns) {
  const int64_t words = words_of(precision, columns);
  const Rows made{frame.take(rows * padded_row(words)), padded_row(words)};
  for (int64_t r = 0; r < rows && words > 0; ++r) std::memset(made.from(r, words - 1).at, 0, sizeof(float));
  return made;
}

/// @return the scale.
float quantize(const float* x, int64_t count, bool bounded, float* words) {
  const float largest = bounded ? 1 : word_kernels().largest_size(x, count);
  word_kernels().bytes_row(x, count, largest > 0 ? 127 / largest : 0, reinterpret_cast<uint8_t*>(words));
  return bounded ? kStateScale : largest / 127;
}

}  // namespace

Operand make_operand(Precision precision, ScratchFrame& frame, ConstRows x, int64_t rows, int64_t columns,
                     bool bounded) {
  if (precision == Precision::kFloat32) return {x, nullptr};
  const Rows words = make_words(frame, precision, rows, columns);
  if (precision == Precision::kBfloat16) {
    for (int64_t r = 0; r < rows; ++r) {
      word_kernels().bfloat16_row(x.from(r).at, columns, reinterpret_cast<uint16_t*>(words.from(r).at));
    }
    return {words, nullptr};
  }
  float* scales = frame.take(rows);
  for (int64_t r = 0; r < rows; ++r) {
    scales[r] = quantize(x.from(r).at, columns, bounded, words.from(r).at);
  }
  return {words, scales};
}

ConstMatrix words_along_columns(Precision precision, ScratchFrame& frame, const ConstMatrix& x) {
  if (precision == Precision::kFloat32) return x;
  const ConstRows words = make_operand(precision, frame, rows_of(x), x.rows, x.columns).words;
  return {words.at, DType::kFloat32, x.rows, words_of(precision, x.columns), words.row};
}

ConstMatrix words_along_rows(Precision precision, ScratchFrame& frame, const ConstMatrix& x) {
  if (precision == Precision::kFloat32) return x;
  const int64_t rows = words_of(precision, x.rows);
  const Rows words{frame.take(rows * padded_row(x.columns)), padded_row(x.columns)};
  for (int64_t r = 0; r < rows; ++r) {
    const float* second = 2 * r + 1 < x.rows ? x.row<float>(2 * r + 1) : nullptr;
    word_kernels().bfloat16_pairs(x.row<float>(2 * r), second, x.columns, words.from(r).at);
  }
  return {words.at, DType::kFloat32, rows, x.columns, words.row};
}

ConstMatrix quantize_rows(ScratchFrame& frame, const ConstMatrix& w, float* scales, int32_t* offsets) {
  const int64_t words = words_of(Precision::kInt8, w.columns);
  float* numbers = frame.take_zeros(w.rows * words);
  for (int64_t r = 0; r < w.rows; ++r) {
    const float* row = w.row<float>(r);
    const float largest = word_kernels().largest_size(row, w.columns);
    auto* to = reinterpret_cast<int8_t*>(numbers + r * words);
    scales[r] = largest / 127;
    offsets[r] = 0;
    for (int64_t k = 0; k < w.columns && largest > 0; ++k) {
      to[k] = static_cast<int8_t>(std::clamp(std::nearbyint(row[k] * (127 / largest)), -127.0F, 127.0F));
      offsets[r] -= 128 * to[k];
    }
  }
  return {numbers, DType::kFloat32, w.rows, words, words};
}

}  // namespace rondo
