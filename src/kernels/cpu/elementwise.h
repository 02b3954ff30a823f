// Elementwise kernels and sums over float32 matrices by SIMD, threaded over fixed blocks.
#pragma once

#include "base/threads.h"
#include "kernels/backend.h"

namespace rondo {

/// As the methods of Backend, on the caller's thread.
void cpu_copy(ConstMatrix x, Matrix y, bool accumulate);
void cpu_multiply(ConstMatrix a, ConstMatrix b, Matrix y, bool accumulate);
/// y[0, j] += sum over rows of a[r, j]*b[r, j], rows in order.
void cpu_add_product_sums(ConstMatrix a, ConstMatrix b, Matrix y);

/// The same over the threads of a pool where that is worth it.
void cpu_copy(ThreadPool& pool, ConstMatrix x, Matrix y, bool accumulate);
void cpu_multiply(ThreadPool& pool, ConstMatrix a, ConstMatrix b, Matrix y, bool accumulate);
void cpu_scale(ThreadPool& pool, Matrix y, float factor);
void cpu_fill(ThreadPool& pool, Matrix y, float value);
void cpu_add_column_sums(ThreadPool& pool, ConstMatrix x, Matrix y);
double cpu_sum_of_squares(ThreadPool& pool, ConstMatrix x);
void cpu_activate(ThreadPool& pool, Activation kind, ConstMatrix x, Matrix y);
void cpu_activate_backward(ThreadPool& pool, Activation kind, ConstMatrix y, ConstMatrix d_y, Matrix d_x);

}  // namespace rondo
