// Vectors of float32 and the loads and stores of their first lanes. One copy for each instruction set.
// Code in here must not call inline functions of other headers (std::min, Matrix::row): the linker keeps one
// copy of such a function for all, and might keep one that an older processor cannot run.
#if defined(RONDO_KERNELS_CPU_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef RONDO_KERNELS_CPU_LANES_INL_H_
#undef RONDO_KERNELS_CPU_LANES_INL_H_
#else
#define RONDO_KERNELS_CPU_LANES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace rondo {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::ScalableTag<float>;
using Vector = hn::Vec<Lanes>;
inline constexpr int64_t kLanes = hn::MaxLanes(Lanes());

HWY_INLINE Vector load(const float* p) { return hn::LoadU(Lanes(), p); }
HWY_INLINE void store(Vector v, float* p) { hn::StoreU(v, Lanes(), p); }
HWY_INLINE Vector set(float value) { return hn::Set(Lanes(), value); }
HWY_INLINE Vector zero() { return hn::Zero(Lanes()); }

// Whether this target's masked loads and stores leave alone what they mask out. (Highway's scalar target
// reads it, whatever it says; AVX2 has such instructions for floats, whatever Highway says of its other
// types.)
#if HWY_TARGET == HWY_AVX2 || (!HWY_MEM_OPS_MIGHT_FAULT && HWY_TARGET != HWY_SCALAR)
#define RONDO_MASKED_MEMORY 1
#else
#define RONDO_MASKED_MEMORY 0
#endif

/// The first `count` lanes from memory, zeros above; reads nothing behind them.
HWY_INLINE Vector load_first(const float* p, int64_t count) {
  if (count >= kLanes) return load(p);
#if RONDO_MASKED_MEMORY
  return hn::MaskedLoad(hn::FirstN(Lanes(), static_cast<size_t>(count)), Lanes(), p);
#else
  HWY_ALIGN float lanes[kLanes] = {};
  for (int64_t i = 0; i < count; ++i) lanes[i] = p[i];
  return hn::Load(Lanes(), lanes);
#endif
}

/// Writes the first `count` lanes and nothing behind them.
HWY_INLINE void store_first(Vector v, float* p, int64_t count) {
  if (count >= kLanes) return store(v, p);
#if RONDO_MASKED_MEMORY
  hn::BlendedStore(v, hn::FirstN(Lanes(), static_cast<size_t>(count)), Lanes(), p);
#else
  HWY_ALIGN float lanes[kLanes];
  hn::Store(v, Lanes(), lanes);
  for (int64_t i = 0; i < count; ++i) p[i] = lanes[i];
#endif
}

#undef RONDO_MASKED_MEMORY

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#endif
