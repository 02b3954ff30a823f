#include "tensor/memory_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>
#include <utility>

#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>  // its macros do nothing where the sanitizer is off
#else
#define ASAN_POISON_MEMORY_REGION(address, size)
#define ASAN_UNPOISON_MEMORY_REGION(address, size)
#endif

namespace rondo {

namespace {

constexpr std::align_val_t kAlignment{64};
constexpr int64_t kSmall = 64 << 10;            // blocks up to here are small
constexpr int64_t kUnit = 1 << 10;              // large blocks are multiples of this
constexpr int64_t kGuard = 64;                  // behind a large block: the sanitizer sees who writes there
constexpr int64_t kSegment = int64_t{1} << 30;  // addresses, not memory
constexpr int64_t kLeastSegment = int64_t{1} << 24;
constexpr int64_t kMaxSmallIdle = int64_t{1} << 26;
constexpr int64_t kMaxLargeIdle = int64_t{1} << 30;

// Eight classes an octave: at most an eighth is wasted, and batches of nearly equal size share blocks.
int64_t small_class(int64_t bytes) {
  const auto wanted = static_cast<uint64_t>(bytes < 512 ? 512 : bytes);
  const uint64_t step = std::bit_floor(wanted) / 8;
  return static_cast<int64_t>((wanted + step - 1) / step * step);
}

int64_t large_class(int64_t bytes) { return (bytes + kGuard + kUnit - 1) / kUnit * kUnit; }

/// Addresses for `size` bytes, or null. `all_used`: all of it is wanted now, so that the system may refuse
/// what it cannot have (it would else end the process when that is written).
char* reserve(int64_t size, bool all_used) {
  const int spare = all_used ? 0 : MAP_NORESERVE;
  void* base = mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | spare, -1, 0);
  return base == MAP_FAILED ? nullptr : static_cast<char*>(base);
}

}  // namespace

MemoryPool& MemoryPool::instance() {
  // Never destroyed: tensors of static duration may give blocks back after main().
  static auto* pool = new MemoryPool;
  return *pool;
}

MemoryPool::~MemoryPool() {
  trim();
  for (const auto& [base, segment] : segments_) {
    ASAN_UNPOISON_MEMORY_REGION(base, static_cast<size_t>(segment.touched - base));
    munmap(base, static_cast<size_t>(segment.size));
  }
}

std::shared_ptr<void> MemoryPool::take(int64_t bytes) {
  if (bytes <= kSmall) {
    const int64_t size = small_class(bytes);
    return {take_small(size), [this, size](void* block) { give_back_small(block, size); }};
  }
  const int64_t size = large_class(bytes);
  void* block = take_large(size);
  ASAN_UNPOISON_MEMORY_REGION(block, static_cast<size_t>(bytes));
  ASAN_POISON_MEMORY_REGION(static_cast<char*>(block) + bytes, static_cast<size_t>(size - bytes));
  return {block, [this, size](void* given) { give_back_large(given, size); }};
}

void* MemoryPool::take_small(int64_t size) {
  {
    const std::lock_guard lock(mutex_);
    small_used_ += size;
    count_use();
    auto found = small_.find(size);
    if (found != small_.end() && !found->second.empty()) {
      void* block = found->second.back();
      found->second.pop_back();
      small_idle_ -= size;
      return block;
    }
  }
  return ::operator new(static_cast<size_t>(size), kAlignment);
}

void MemoryPool::give_back_small(void* block, int64_t size) {
  {
    const std::lock_guard lock(mutex_);
    small_used_ -= size;
    if (small_idle_ + size <= kMaxSmallIdle) {
      small_[size].push_back(block);
      small_idle_ += size;
      return;
    }
  }
  ::operator delete(block, kAlignment);
}

void MemoryPool::count_use() { peak_ = std::max(peak_, small_used_ + large_used_); }

void* MemoryPool::take_large(int64_t size) {
  const std::lock_guard lock(mutex_);
  void* block = cut(size);
  if (!block) {
    add_segment(size);
    block = cut(size);
  }
  large_used_ += size;
  kept_ = std::max(kept_, large_used_);
  count_use();
  return block;
}

void MemoryPool::add_segment(int64_t size) {
  // Less where the system gives no more (ulimit -v).
  for (int64_t wanted = std::max(size, kSegment);; wanted = std::max(size, wanted / 4)) {
    if (char* base = reserve(wanted, wanted == size)) {
      segments_[base] = {.size = wanted, .free = {{base, wanted}}, .touched = base};
      return;
    }
    if (wanted == size || wanted <= kLeastSegment) throw std::bad_alloc();
  }
}

void* MemoryPool::cut(int64_t size) {
  for (auto& [base, segment] : segments_) {
    const auto place = std::find_if(segment.free.begin(), segment.free.end(),
                                    [&](const auto& range) { return range.second >= size; });
    if (place == segment.free.end()) continue;
    char* const block = place->first;
    const int64_t rest = place->second - size;
    segment.free.erase(place);
    if (rest > 0) segment.free.emplace(block + size, rest);
    segment.touched = std::max(segment.touched, block + size);
    return block;
  }
  return nullptr;
}

void MemoryPool::give_back_large(void* block, int64_t size) {
  ASAN_POISON_MEMORY_REGION(block, static_cast<size_t>(size));
  const std::lock_guard lock(mutex_);
  large_used_ -= size;
  Segment& segment = std::prev(segments_.upper_bound(static_cast<char*>(block)))->second;
  auto range = segment.free.emplace(static_cast<char*>(block), size).first;
  const auto next = std::next(range);
  if (next != segment.free.end() && range->first + range->second == next->first) {
    range->second += next->second;
    segment.free.erase(next);
  }
  if (range != segment.free.begin()) {
    const auto before = std::prev(range);
    if (before->first + before->second == range->first) {
      before->second += range->second;
      segment.free.erase(range);
      range = before;
    }
  }
  if (kept_ - large_used_ > kMaxLargeIdle) release(segment, range);
}

void MemoryPool::release(Segment& segment, FreeRanges::iterator range) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  char* const end = std::min(range->first + range->second, segment.touched);
  const uintptr_t first = (reinterpret_cast<uintptr_t>(range->first) + page - 1) / page * page;
  const uintptr_t last = reinterpret_cast<uintptr_t>(end) / page * page;
  if (last <= first) return;
  ASAN_UNPOISON_MEMORY_REGION(range->first, static_cast<size_t>(end - range->first));
  madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  if (end == segment.touched) segment.touched = range->first;
  kept_ = std::max(large_used_, kept_ - static_cast<int64_t>(last - first));
}

void MemoryPool::trim() {
  const std::lock_guard lock(mutex_);
  for (auto& [size, blocks] : small_) {
    for (void* block : blocks) ::operator delete(block, kAlignment);
  }
  small_.clear();
  small_idle_ = 0;
  for (auto& [base, segment] : segments_) {
    for (auto range = segment.free.begin(); range != segment.free.end(); ++range) release(segment, range);
  }
  kept_ = large_used_;
  peak_ = small_used_ + large_used_;
}

int64_t MemoryPool::idle_bytes() const {
  const std::lock_guard lock(mutex_);
  return small_idle_ + kept_ - large_used_;
}

int64_t MemoryPool::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return small_used_ + large_used_;
}

int64_t MemoryPool::peak_bytes() const {
  const std::lock_guard lock(mutex_);
  return peak_;
}

}  // namespace rondo
