// Dropout masks from counters: any thread may draw any piece.
#pragma once

#include "base/random.h"
#include "base/threads.h"
#include "kernels/array.h"

namespace rondo {

/// As Backend::dropout_mask, for float32: the same bits as the reference.
void cpu_dropout_mask(ThreadPool& pool, const Stream& stream, double probability, Matrix mask);

}  // namespace rondo
