#include "tensor/memory_pool.h"

#include <bit>
#include <cstdlib>
#include <new>

namespace rondo {

namespace {

constexpr std::align_val_t kAlignment{64};

// Eight classes an octave: at most an eighth is wasted, and batches of nearly equal size share blocks.
int64_t size_class(int64_t bytes) {
  const auto wanted = static_cast<uint64_t>(bytes < 512 ? 512 : bytes);
  const uint64_t step = std::bit_floor(wanted) / 8;
  return static_cast<int64_t>((wanted + step - 1) / step * step);
}

}  // namespace

MemoryPool& MemoryPool::instance() {
  // Never destroyed: tensors of static duration may give blocks back after main().
  static auto* pool = new MemoryPool;
  return *pool;
}

std::shared_ptr<void> MemoryPool::take(int64_t bytes) {
  const int64_t size = size_class(bytes);
  void* block = nullptr;
  {
    std::lock_guard lock(mutex_);
    auto found = idle_.find(size);
    if (found != idle_.end() && !found->second.empty()) {
      block = found->second.back();
      found->second.pop_back();
      idle_bytes_ -= size;
    }
  }
  if (!block) block = ::operator new(static_cast<size_t>(size), kAlignment);
  return {block, [this, size](void* given) { give_back(given, size); }};
}

void MemoryPool::give_back(void* block, int64_t size) {
  {
    std::lock_guard lock(mutex_);
    if (idle_bytes_ + size <= kMaxIdleBytes) {
      idle_[size].push_back(block);
      idle_bytes_ += size;
      return;
    }
  }
  ::operator delete(block, kAlignment);
}

void MemoryPool::trim() {
  std::lock_guard lock(mutex_);
  for (auto& [size, blocks] : idle_) {
    for (void* block : blocks) ::operator delete(block, kAlignment);
  }
  idle_.clear();
  idle_bytes_ = 0;
}

int64_t MemoryPool::idle_bytes() const {
  std::lock_guard lock(mutex_);
  return idle_bytes_;
}

}  // namespace rondo
