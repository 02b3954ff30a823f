// Kernels that move whole rows: embedding lookup and pooling over sequences.
#pragma once

#include <span>

#include "base/threads.h"
#include "kernels/backend.h"

namespace rondo {

/// As the methods of Backend, for float32 operands whose shapes agree.
void cpu_gather_rows(ThreadPool& pool, ConstMatrix table, std::span<const int32_t> ids, Matrix y);
void cpu_scatter_add_rows(ThreadPool& pool, ConstMatrix d_y, std::span<const int32_t> ids, Matrix d_table);
void cpu_pool_mean(const PackedRows& rows, ConstMatrix x, Matrix y);
void cpu_pool_max(const PackedRows& rows, ConstMatrix x, Matrix y, Matrix chosen);
void cpu_pool_mean_backward(const PackedRows& rows, ConstMatrix d_y, Matrix d_x);
void cpu_pool_max_backward(ConstMatrix d_y, ConstMatrix chosen, Matrix d_x);
void cpu_attend(ThreadPool& pool, const PackedRows& rows, ConstMatrix scores, ConstMatrix x, Matrix weights,
                Matrix y);
void cpu_attend_backward(ThreadPool& pool, const PackedRows& rows, ConstMatrix weights, ConstMatrix x,
                         ConstMatrix d_y, Matrix d_scores, Matrix d_x);

}  // namespace rondo
