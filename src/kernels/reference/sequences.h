// Walking packed rows by sequence.
#pragma once

#include "kernels/packed_rows.h"

namespace rondo::reference {

/// The number of rows of sequence n: the steps at which it is alive.
inline int64_t length_of(const PackedRows& rows, int64_t n) {
  int64_t length = 0;
  while (length < rows.steps() && rows.count(length) > n) ++length;
  return length;
}

}  // namespace rondo::reference
