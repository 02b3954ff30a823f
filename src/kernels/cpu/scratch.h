// Memory for the length of a call, taken from a stack that each thread keeps: no allocation once it is warm.
//   ScratchFrame frame;  float* packed = frame.take(k * n);   // given back when the frame ends
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace rondo {

/// Where floats come from that live as long as it does.
class FloatMemory {
 public:
  virtual ~FloatMemory() = default;
  /// `count` floats, aligned to 64 bytes, of unspecified value.
  virtual float* take(int64_t count) = 0;
};

/// Floats that it owns: of packed weights that outlive a call.
class OwnedFloats final : public FloatMemory {
 public:
  float* take(int64_t count) override;

 private:
  struct Free {
    void operator()(float* p) const;
  };
  std::vector<std::unique_ptr<float[], Free>> blocks_;
};

/// Frames of one thread end in the reverse order of their beginning, as local variables do.
class ScratchFrame final : public FloatMemory {
 public:
  ScratchFrame();
  ~ScratchFrame() override;
  ScratchFrame(const ScratchFrame&) = delete;
  ScratchFrame& operator=(const ScratchFrame&) = delete;

  float* take(int64_t count) override;
  /// The same, zeros.
  float* take_zeros(int64_t count);

 private:
  int64_t block_;
  int64_t used_;
};

/// Floats of a row so that rows begin on a cache line and do not all fall into the same set of the cache.
constexpr int64_t padded_row(int64_t columns) { return (columns + 15) / 16 * 16 + 16; }

}  // namespace rondo
