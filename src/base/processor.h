// What code asks of the processor that it runs on.
//   while (!ready) pause_processor();      const DenormalsAreZero guard;
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstdint>

namespace rondo {

/// A moment of waiting that leaves the core's other thread more to work with.
inline void pause_processor() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Denormals count as zero while this lives (SSE's FTZ and DAZ bits, or FPCR.FZ), on the caller's thread as
/// on the pool's: no result depends on who takes a task, and no addition takes the processor's slow path.
class DenormalsAreZero {
 public:
#if defined(__x86_64__)
  DenormalsAreZero() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040); }
  ~DenormalsAreZero() {
    // The flags of what happened inside stay, as they would after a plain call.
    _mm_setcsr((_mm_getcsr() & ~0x8040U) | (saved_ & 0x8040U));
  }
#elif defined(__aarch64__)
  DenormalsAreZero() {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" : : "r"(saved_ | (uint64_t{1} << 24)));
  }
  ~DenormalsAreZero() { asm volatile("msr fpcr, %0" : : "r"(saved_)); }
#else
  DenormalsAreZero() : saved_(0) {}
#endif
  DenormalsAreZero(const DenormalsAreZero&) = delete;
  DenormalsAreZero& operator=(const DenormalsAreZero&) = delete;

 private:
#if defined(__aarch64__)
  uint64_t saved_ = 0;
#else
  unsigned saved_;
#endif
};

}  // namespace rondo
