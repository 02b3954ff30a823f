// The conditional random field of float32 rows by SIMD: threads take sequences.
#pragma once

#include "base/threads.h"
#include "kernels/crf.h"

namespace rondo {

/// As the methods of Backend, for operands that fit. Alphas are kept with log sum exp = 0 in each row, and
/// sums over a sequence are double: long sequences lose no digits. Gradients of the weights are summed in at
/// most 32 blocks of sequences, whose number depends on the shapes alone, and the blocks in order.
void cpu_crf_forward(ThreadPool& pool, const CrfForward& pass);
void cpu_crf_backward(ThreadPool& pool, const CrfBackward& pass);
/// Any scalar type.
void cpu_crf_decode(ThreadPool& pool, const CrfDecode& pass);

}  // namespace rondo
