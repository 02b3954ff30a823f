// Memory for the length of a call, taken from a stack that each thread keeps: no allocation once it is warm.
//   ScratchFrame frame;  float* packed = frame.take(k * n);   // given back when the frame ends
#pragma once

#include <cstdint>

namespace rondo {

/// Frames of one thread end in the reverse order of their beginning, as local variables do.
class ScratchFrame {
 public:
  ScratchFrame();
  ~ScratchFrame();
  ScratchFrame(const ScratchFrame&) = delete;
  ScratchFrame& operator=(const ScratchFrame&) = delete;

  /// `count` floats, aligned to 64 bytes, of unspecified value.
  float* take(int64_t count);
  /// The same, zeros.
  float* take_zeros(int64_t count);

 private:
  int64_t block_;
  int64_t used_;
};

/// Floats of a row so that rows begin on a cache line and do not all fall into the same set of the cache.
constexpr int64_t padded_row(int64_t columns) { return (columns + 15) / 16 * 16 + 16; }

}  // namespace rondo
