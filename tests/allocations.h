// What this thread allocated, where a file of the test program includes counted_new.h.
#pragma once

#include <cstdint>

namespace rondo {

inline thread_local int64_t num_allocations = 0;
inline int64_t allocations() { return num_allocations; }

}  // namespace rondo
