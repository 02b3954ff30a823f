// Gives back freed blocks of the same size class at once: a training step then asks the system for nothing,
// and touches no fresh page (a first touch of a page costs about as much as computing 2,000 floats).
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

  /// At least `bytes` bytes on a 64-byte boundary; it returns to the pool when the last owner lets go.
  /// @throws std::bad_alloc
  std::shared_ptr<void> take(int64_t bytes);
  /// Gives the idle blocks back to the system.
  void trim();
  int64_t idle_bytes() const;

 private:
  void give_back(void* block, int64_t size);

  static constexpr int64_t kMaxIdleBytes = int64_t{1} << 30;
  mutable std::mutex mutex_;
  std::map<int64_t, std::vector<void*>> idle_;
  int64_t idle_bytes_ = 0;
};

}  // namespace rondo
