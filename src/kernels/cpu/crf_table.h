// log sum exp over a table of transitions as one product: K exponentials a step instead of K^2.
//   const TransitionTable table(frame, a, false);  table.advance(x, shares, sums, y);
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/array.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/vector_ops.h"

namespace rondo {

/// With m = max x and m_j = max_i A_ij:  log sum_i exp(x_i + A_ij) = m + m_j + log sum_i e^(x_i - m) e^(A_ij
/// - m_j). Where the terms of this sum underflow (the largest x meets the lowest A) it is taken term by term.
class TransitionTable {
 public:
  /// @param memory  what it stands in. @param transposed  A^T instead of A.
  TransitionTable(FloatMemory& memory, ConstMatrix a, bool transposed)
      : size_(a.columns),
        logs_(memory.take(size_ * size_)),
        factors_(memory.take(size_ * size_)),
        most_(memory.take(size_)) {
    for (int64_t i = 0; i < size_; ++i) {
      for (int64_t j = 0; j < size_; ++j)
        logs_[i * size_ + j] = transposed ? a.row<float>(j)[i] : a.row<float>(i)[j];
    }
    std::copy_n(logs_, size_, most_);
    for (int64_t k = 0; k < size_ * size_; ++k) most_[k % size_] = std::max(most_[k % size_], logs_[k]);
    for (int64_t k = 0; k < size_ * size_; ++k) factors_[k] = std::exp(logs_[k] - most_[k % size_]);
  }

  /// shares_i = e^(x_i - m), sums_j = sum_i shares_i factors_ij. @return m.
  float multiply(const float* x, float* shares, float* sums) const {
    const float most = vector_ops().largest(x, size_);
    vector_ops().exponentials(x, most, shares, size_);
    vector_ops().fill(sums, 0, size_);
    for (int64_t i = 0; i < size_; ++i) {
      vector_ops().add_scaled(shares[i], factors(i), sums, size_);
    }
    return most;
  }
  /// y_j = log sum_i exp(x_i + A_ij).
  void advance(const float* x, float* shares, float* sums, float* y) const {
    const float most = multiply(x, shares, sums);
    for (int64_t j = 0; j < size_; ++j) {
      y[j] = holds(sums[j]) ? most + most_[j] + std::log(sums[j]) : term_by_term(x, j);
    }
  }

  /// Whether no term that underflowed could be seen in this sum of multiply().
  static bool holds(float sum) { return sum > 1e-20F; }
  /// log sum_i exp(x_i + A_ij) for one j.
  float term_by_term(const float* x, int64_t j) const {
    float most = x[0] + log(0, j);
    for (int64_t i = 1; i < size_; ++i) most = std::max(most, x[i] + log(i, j));
    float sum = 0;
    for (int64_t i = 0; i < size_; ++i) sum += std::exp(x[i] + log(i, j) - most);
    return most + std::log(sum);
  }

  int64_t size() const { return size_; }
  float log(int64_t i, int64_t j) const { return logs_[i * size_ + j]; }
  const float* factors(int64_t i) const { return factors_ + i * size_; }

 private:
  int64_t size_;
  float *logs_, *factors_, *most_;
};

}  // namespace rondo
