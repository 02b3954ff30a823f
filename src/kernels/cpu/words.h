// Operands of a narrow precision as words of 32 bits, so that one tile multiplies them all: a word holds one
// float32, two bfloat16 or four 8-bit numbers that are neighbours along k, the first in the lowest bits. What
// stands behind the last k is zero.
//   const Operand h = make_operand(Precision::kBfloat16, frame, states, rows, P);
#pragma once

#include <cstdint>

#include "kernels/array.h"
#include "kernels/cpu/cells.h"
#include "kernels/cpu/scratch.h"

namespace rondo {

constexpr int64_t numbers_in_word(Precision precision) {
  return precision == Precision::kFloat32 ? 1 : precision == Precision::kBfloat16 ? 2 : 4;
}
constexpr int64_t words_of(Precision precision, int64_t k) {
  return (k + numbers_in_word(precision) - 1) / numbers_in_word(precision);
}

/// The left operand of a product: rows of words.
/// kInt8: number q of a row stands for scale*q, and is stored as q + 128, for the instruction that multiplies
/// unsigned by signed numbers.
struct Operand {
  ConstRows words;
  const float* scales = nullptr;  ///< kInt8: of each row

  Operand from(int64_t row) const { return {words.from(row), scales == nullptr ? nullptr : scales + row}; }
};

/// A state between -1 and 1 has this scale; what is larger is cut off.
inline constexpr float kStateScale = 1.0F / 127;

/// Rows of x as an operand; float32 is read where it stands. @param bounded  kInt8: see kStateScale; else the
/// scale of a row is its largest size / 127.
Operand make_operand(Precision precision, ScratchFrame& frame, ConstRows x, int64_t rows, int64_t columns,
                     bool bounded = false);

/// A matrix as words along its columns [rows, words_of(columns)] or along its rows [words_of(rows), columns].
/// For kBfloat16; float32 is itself.
ConstMatrix words_along_columns(Precision precision, ScratchFrame& frame, const ConstMatrix& x);
ConstMatrix words_along_rows(Precision precision, ScratchFrame& frame, const ConstMatrix& x);

/// Weights of kInt8 as words [rows, words_of(columns)]: row j of `w` is scales[j] * numbers, and
/// offsets[j] = -128 * sum of its numbers takes the 128 of an operand back.
ConstMatrix quantize_rows(ScratchFrame& frame, const ConstMatrix& w, float* scales, int32_t* offsets);

}  // namespace rondo
