// Counts what a thread allocates: it replaces operator new, so one file of a test program includes it, and
// the others allocations.h.
//   const int64_t before = allocations();  step();  EXPECT_EQ(allocations(), before);
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "allocations.h"

namespace rondo {

inline void* counted_allocation(std::size_t size, std::size_t alignment) {
  ++num_allocations;
  return std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
}
/// Not inlined: the compiler would take free() for the wrong partner of operator new.
[[gnu::noinline]] inline void give_back(void* p) noexcept { std::free(p); }
inline void* checked(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace rondo

void* operator new(std::size_t size) {
  return rondo::checked(rondo::counted_allocation(size, alignof(std::max_align_t)));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return rondo::checked(rondo::counted_allocation(size, static_cast<std::size_t>(alignment)));
}
// std::stable_sort asks for its buffer so: it must come from where operator delete gives it back to.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return rondo::counted_allocation(size, alignof(std::max_align_t));
}
void operator delete(void* p) noexcept { rondo::give_back(p); }
void operator delete(void* p, std::size_t) noexcept { rondo::give_back(p); }
void operator delete(void* p, std::align_val_t) noexcept { rondo::give_back(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { rondo::give_back(p); }
