// Kernels over runs of floats, one table for each instruction set.
#pragma once

#include <cstdint>

namespace rondo {

struct VectorOps {
  void (*copy)(const float* x, float* y, int64_t count);
  void (*add)(const float* x, float* y, int64_t count);
  void (*multiply)(const float* a, const float* b, float* y, int64_t count);
  void (*multiply_add)(const float* a, const float* b, float* y, int64_t count);
  void (*scale)(float* y, float factor, int64_t count);
  void (*fill)(float* y, float value, int64_t count);
  /// Adds the squares in double, lane by lane, then the lanes in order.
  double (*sum_of_squares)(const float* x, int64_t count);
  /// y[j] += x[0, j] + x[1, j] + ..., in this order.
  void (*column_sums)(const float* x, int64_t stride, int64_t rows, float* y, int64_t count);
  /// y[j] += a[0, j]*b[0, j] + ...
  void (*product_sums)(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t rows,
                       float* y, int64_t count);
  void (*max)(const float* x, int32_t row, float* y, int32_t* chosen, int64_t count);

  float (*largest)(const float* x, int64_t count);
  /// y = exp(x - most), where no x is above `most`. @return their sum: lane by lane, then the lanes in order.
  float (*exponentials)(const float* x, float most, float* y, int64_t count);
  void (*divide)(float* y, float divisor, int64_t count);
  /// y += factor * x.
  void (*add_scaled)(float factor, const float* x, float* y, int64_t count);
  /// The sum of a*b: lane by lane, then the lanes in order.
  float (*dot)(const float* a, const float* b, int64_t count);
  /// mask[i] = number first+i of Stream(key) is at least `threshold` * 2^-24 ? kept : 0.
  void (*dropout_mask)(uint64_t key, uint64_t first, int32_t threshold, float kept, float* mask,
                       int64_t count);

  void (*tanh)(const float* x, float* y, int64_t count);
  void (*sigmoid)(const float* x, float* y, int64_t count);
  void (*relu)(const float* x, float* y, int64_t count);
  /// d_x += d_y * the derivative, from y.
  void (*tanh_backward)(const float* y, const float* d_y, float* d_x, int64_t count);
  void (*sigmoid_backward)(const float* y, const float* d_y, float* d_x, int64_t count);
  void (*relu_backward)(const float* y, const float* d_y, float* d_x, int64_t count);
};

const VectorOps& vector_ops();

}  // namespace rondo
