// Attention of float32 queries over packed memory rows by SIMD: forward, threads take queries; backward,
// threads take sequences, so that each gradient of a memory row is summed by one of them.
#pragma once

#include "base/threads.h"
#include "kernels/attention.h"

namespace rondo {

/// As the methods of Backend, for operands that fit. The bits of a query's results depend on it and its own
/// sequence alone; d_v is summed a sequence at a time, then over the sequences in order.
void cpu_attention_forward(ThreadPool& pool, const AttentionForward& pass);
void cpu_attention_backward(ThreadPool& pool, const AttentionBackward& pass);

}  // namespace rondo
