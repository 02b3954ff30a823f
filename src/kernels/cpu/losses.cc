#include "kernels/cpu/losses.h"

#include <cmath>

#include "kernels/cpu/cells.h"
#include "kernels/cpu/runs.h"
#include "kernels/cpu/vector_ops.h"

namespace rondo {

namespace {

/// Rows of one task, so that it is worth a thread.
int64_t grain(const ConstMatrix& m) { return 1 + kTask / std::max<int64_t>(m.columns, 1); }

/// @return log sum exp(x - most).
float softmax_row(const float* x, float most, float* y, int64_t count) {
  const float sum = vector_ops().exponentials(x, most, y, count);
  vector_ops().divide(y, sum, count);
  return std::log(sum);
}

}  // namespace

void cpu_softmax_cross_entropy(ThreadPool& pool, ConstMatrix logits, std::span<const int32_t> targets,
                               Matrix probabilities, Matrix losses) {
  const int64_t columns = logits.columns;
  pool.split(logits.rows, grain(logits), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const float* x = rows_of(logits).from(n).at;
      const float most = vector_ops().largest(x, columns);
      // Read before the probabilities may overwrite the logits.
      const float below = losses ? x[targets[n]] - most : 0;
      const float log_sum = softmax_row(x, most, rows_of(probabilities).from(n).at, columns);
      if (losses) rows_of(losses).at[n] = log_sum - below;
    }
  });
}

// d loss / d x[k] = p[k] - [k == target]
void cpu_softmax_cross_entropy_backward(ThreadPool& pool, ConstMatrix probabilities,
                                        std::span<const int32_t> targets, ConstMatrix d_losses,
                                        Matrix d_logits) {
  pool.split(probabilities.rows, grain(probabilities), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const float d_loss = rows_of(d_losses).at[n];
      const float* p = rows_of(probabilities).from(n).at;
      float* to = rows_of(d_logits).from(n).at;
      const float of_target = to[targets[n]] + d_loss * (p[targets[n]] - 1);
      vector_ops().add_scaled(d_loss, p, to, probabilities.columns);
      to[targets[n]] = of_target;
    }
  });
}

}  // namespace rondo
