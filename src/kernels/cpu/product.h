// The multiplication with packed weights: every element one chain of multiply-adds over k (promise 2).
#pragma once

#include "base/threads.h"
#include "kernels/backend.h"

namespace rondo {

/// Product of float32 operands whose shapes agree. Small ones stay on the caller's thread.
void cpu_product(ThreadPool& pool, const Product& p);

}  // namespace rondo
