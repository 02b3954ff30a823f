// One sum of products in each precision: what Product::precision and a pass's precision mean.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "kernels/array.h"
#include "kernels/reference/scalar.h"

namespace rondo::reference {

/// The nearest bfloat16, ties to even.
inline float round_bfloat16(float x) {
  if (std::isnan(x)) return x;
  const auto bits = std::bit_cast<uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000U);
}

/// Pairs of k: the odd one first, as the processors' instruction adds them.
template <class A, class B>
float add_bfloat16_products(int64_t count, const A& a, const B& b, float sum) {
  const auto add = [&](int64_t k) { sum = multiply_add(round_bfloat16(a(k)), round_bfloat16(b(k)), sum); };
  for (int64_t k = 0; k < count; k += 2) {
    if (k + 1 < count) add(k + 1);
    add(k);
  }
  return sum;
}

/// 127 numbers on either side of zero reach this far.
template <class A>
float largest_size(int64_t count, const A& a) {
  float largest = 0;
  for (int64_t k = 0; k < count; ++k) largest = std::max(largest, std::abs(a(k)));
  return largest;
}

/// @param bounded  a is a state between -1 and 1: its scale is 1/127.
template <class A, class B>
float add_int8_products(int64_t count, const A& a, const B& b, float sum, bool bounded) {
  const float size_a = bounded ? 1 : largest_size(count, a);
  const float size_b = largest_size(count, b);
  if (size_a == 0 || size_b == 0) return sum;
  const auto whole = [](float x, float size) {
    return static_cast<int32_t>(std::nearbyint(std::clamp(x * (127 / size), -127.0F, 127.0F)));
  };
  int32_t total = 0;
  for (int64_t k = 0; k < count; ++k) total += whole(a(k), size_a) * whole(b(k), size_b);
  return multiply_add(static_cast<float>(total), size_a / 127 * (size_b / 127), sum);
}

/// start + sum over k of a(k)*b(k): one chain of fused multiply-adds over k = 0, 1, ... in float32 and in the
/// wider types, which no precision narrows.
template <class T, class A, class B>
T add_products(Precision precision, int64_t count, const A& a, const B& b, T start, bool bounded = false) {
  if constexpr (std::is_same_v<T, float>) {
    if (precision == Precision::kBfloat16) return add_bfloat16_products(count, a, b, start);
    if (precision == Precision::kInt8) return add_int8_products(count, a, b, start, bounded);
  }
  for (int64_t k = 0; k < count; ++k) start = multiply_add(a(k), b(k), start);
  return start;
}

}  // namespace rondo::reference
