// Denormals are zero while a kernel runs, on the caller's thread as on the pool's: the result does not depend
// on who takes a task, and no addition takes the processor's slow path.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstdint>

namespace rondo {

class ZeroDenormals {
 public:
#if defined(__x86_64__)
  ZeroDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~ZeroDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  ZeroDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (uint64_t{1} << 24)));
  }
  ~ZeroDenormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  uint64_t before_ = 0;
#else
  ZeroDenormals() {}
#endif
  ZeroDenormals(const ZeroDenormals&) = delete;
  ZeroDenormals& operator=(const ZeroDenormals&) = delete;
};

}  // namespace rondo
