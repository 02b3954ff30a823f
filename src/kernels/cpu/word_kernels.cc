#include "kernels/cpu/word_kernels.h"

#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/word_kernels.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include "kernels/cpu/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rondo {
namespace HWY_NAMESPACE {

using Bits = hn::RebindToUnsigned<Lanes>;
using Halves = hn::Rebind<uint16_t, Lanes>;
using Integers = hn::RebindToSigned<Lanes>;
using Bytes = hn::Rebind<uint8_t, Lanes>;

/// Nearest bfloat16, ties to even, in the upper half of each lane; the lower half is rubbish. What is not a
/// number stays so.
HWY_INLINE hn::Vec<Bits> round_bfloat16(Vector x) {
  const Bits bits;
  const auto u = hn::BitCast(bits, x);
  const auto odd = hn::And(hn::ShiftRight<16>(u), hn::Set(bits, 1));
  const auto rounded = hn::Add(u, hn::Add(odd, hn::Set(bits, 0x7FFF)));
  const auto number = hn::RebindMask(bits, hn::Eq(x, x));
  return hn::IfThenElse(number, rounded, hn::Or(u, hn::Set(bits, 0x400000)));
}

void bfloat16_row(const float* x, int64_t count, uint16_t* to) {
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    const auto high = hn::BitCast(Integers(), hn::ShiftRight<16>(round_bfloat16(load(x + j))));
    hn::StoreU(hn::DemoteTo(Halves(), high), Halves(), to + j);
  }
  if (j == count) return;
  HWY_ALIGN uint16_t last[kLanes];
  const auto high = hn::BitCast(Integers(), hn::ShiftRight<16>(round_bfloat16(load_first(x + j, count - j))));
  hn::Store(hn::DemoteTo(Halves(), high), Halves(), last);
  for (int64_t i = 0; j < count; ++i, ++j) to[j] = last[i];
}

/// One row of words from two rows of numbers; `second` null: zeros.
void bfloat16_pairs(const float* first, const float* second, int64_t count, float* to) {
  const Bits bits;
  for (int64_t j = 0; j < count; j += kLanes) {
    const auto low = hn::ShiftRight<16>(round_bfloat16(load_first(first + j, count - j)));
    const Vector other = second == nullptr ? zero() : load_first(second + j, count - j);
    const auto high = hn::And(round_bfloat16(other), hn::Set(bits, 0xFFFF0000U));
    store_first(hn::BitCast(Lanes(), hn::Or(low, high)), to + j, count - j);
  }
}

float largest_size(const float* x, int64_t count) {
  Vector most = zero();
  for (int64_t j = 0; j < count; j += kLanes) most = hn::Max(most, hn::Abs(load_first(x + j, count - j)));
  return hn::GetLane(hn::MaxOfLanes(Lanes(), most));
}

void bytes_row(const float* x, int64_t count, float factor, uint8_t* to) {
  const auto middle = hn::Set(Integers(), 128);
  HWY_ALIGN uint8_t last[kLanes];
  for (int64_t j = 0; j < count; j += kLanes) {
    const Vector scaled = hn::Mul(load_first(x + j, count - j), set(factor));
    const Vector within = hn::Max(set(-127), hn::Min(set(127), scaled));
    const auto bytes = hn::DemoteTo(Bytes(), hn::Add(hn::NearestInt(within), middle));
    if (count - j >= kLanes) {
      hn::StoreU(bytes, Bytes(), to + j);
      continue;
    }
    hn::Store(bytes, Bytes(), last);
    for (int64_t i = 0; i < count - j; ++i) to[j + i] = last[i];
  }
}

const WordKernels* word_table() {
  static constexpr WordKernels kTable{bfloat16_row, bfloat16_pairs, largest_size, bytes_row};
  return &kTable;
}

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rondo {
HWY_EXPORT(word_table);

const WordKernels& word_kernels() { return *HWY_DYNAMIC_DISPATCH(word_table)(); }

}  // namespace rondo
#endif
