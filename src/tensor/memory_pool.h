// Where tensors live. What is freed is kept and given out again, cut and joined as sizes ask: a training step
// asks the system for nothing and touches no fresh page (a first touch of a page costs about as much as
// computing 2,000 floats), and batches of all lengths share the memory of the longest.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace rondo {

class MemoryPool {
 public:
  static MemoryPool& instance();
  MemoryPool() = default;
  /// Every block must have come back.
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  /// At least `bytes` bytes on a 64-byte boundary; it returns to the pool when the last owner lets go.
  /// @throws std::bad_alloc
  std::shared_ptr<void> take(int64_t bytes);
  /// Gives the idle memory back to the system.
  void trim();
  /// Memory that was in use once, is not now, and is kept.
  int64_t idle_bytes() const;
  /// Memory in use, and the most that ever was at once since the last trim().
  int64_t used_bytes() const;
  int64_t peak_bytes() const;

 private:
  /// Small blocks come from the C++ library and are kept by size class.
  void* take_small(int64_t size);
  void give_back_small(void* block, int64_t size);
  /// Large ones are cut from segments: stretches of addresses that take memory only where they are written.
  /// The first place that is large enough is taken, so that use stays near the segments' beginnings.
  void* take_large(int64_t size);
  void give_back_large(void* block, int64_t size);
  void* cut(int64_t size);
  void add_segment(int64_t size);
  void count_use();

  using FreeRanges = std::map<char*, int64_t>;  // length of each, by address; neighbours are joined
  struct Segment {
    int64_t size = 0;
    FreeRanges free;
    char* touched = nullptr;  // no byte from here on was ever given out, or it went back to the system
  };
  void release(Segment& segment, FreeRanges::iterator range);

  mutable std::mutex mutex_;
  std::map<int64_t, std::vector<void*>> small_;
  std::map<char*, Segment> segments_;  // by their first address
  int64_t small_idle_ = 0;
  int64_t large_used_ = 0, small_used_ = 0;
  int64_t kept_ = 0;  // of the segments: in use or idle
  int64_t peak_ = 0;
};

}  // namespace rondo
