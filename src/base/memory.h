// How much memory the process holds, and giving back what it does not need.
//   const int64_t before = resident_bytes();  ...  report(peak_resident_bytes());
#pragma once

#include <cstdint>

namespace rondo {

/// Memory that the process holds now; 0 where the system does not tell (it does on Linux).
int64_t resident_bytes();

/// The most that it ever held, as getrusage tells.
int64_t peak_resident_bytes();

/// Gives freed memory that the C library keeps back to the system, where it can (glibc): after a phase that
/// took much and left little, such as reading a corpus. Costs about a millisecond.
void release_freed_memory();

}  // namespace rondo
