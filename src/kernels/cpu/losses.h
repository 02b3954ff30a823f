// Softmax and cross-entropy of float32 rows by SIMD.
#pragma once

#include <span>

#include "base/threads.h"
#include "kernels/array.h"

namespace rondo {

/// As the methods of Backend, for operands whose shapes agree. A row's sum is taken lane by lane, then the
/// lanes in order: the same bits in any batch and on any number of threads.
void cpu_softmax_cross_entropy(ThreadPool& pool, ConstMatrix logits, std::span<const int32_t> targets,
                               Matrix probabilities, Matrix losses);
void cpu_softmax_cross_entropy_backward(ThreadPool& pool, ConstMatrix probabilities,
                                        std::span<const int32_t> targets, ConstMatrix d_losses,
                                        Matrix d_logits);

}  // namespace rondo
