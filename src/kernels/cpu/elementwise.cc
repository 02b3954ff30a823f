#include "kernels/cpu/elementwise.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/runs.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/vector_ops.h"

namespace rondo {

namespace {

constexpr int64_t kBlock = 4096;  // elements: of sum_of_squares by its definition

void copy_runs(ThreadPool* pool, const ConstMatrix& x, const Matrix& y, bool accumulate) {
  const auto kernel = accumulate ? vector_ops().add : vector_ops().copy;
  Runs(x.rows, x.columns, whole(x) && whole(y)).each(pool, [&](int64_t r, int64_t c, int64_t count) {
    kernel(rows_of(x).from(r, c).at, rows_of(y).from(r, c).at, count);
  });
}

void multiply_runs(ThreadPool* pool, const ConstMatrix& a, const ConstMatrix& b, const Matrix& y,
                   bool accumulate) {
  const auto kernel = accumulate ? vector_ops().multiply_add : vector_ops().multiply;
  const bool broadcast = b.rows == 1;
  const bool no_gaps = whole(a) && whole(b) && whole(y) && (!broadcast || a.rows == 1);
  Runs(a.rows, a.columns, no_gaps).each(pool, [&](int64_t r, int64_t c, int64_t count) {
    kernel(rows_of(a).from(r, c).at, rows_of(b).from(broadcast ? 0 : r, c).at, rows_of(y).from(r, c).at,
           count);
  });
}

}  // namespace

void cpu_copy(ConstMatrix x, Matrix y, bool accumulate) { copy_runs(nullptr, x, y, accumulate); }
void cpu_copy(ThreadPool& pool, ConstMatrix x, Matrix y, bool accumulate) {
  copy_runs(&pool, x, y, accumulate);
}

void cpu_multiply(ConstMatrix a, ConstMatrix b, Matrix y, bool accumulate) {
  multiply_runs(nullptr, a, b, y, accumulate);
}
void cpu_multiply(ThreadPool& pool, ConstMatrix a, ConstMatrix b, Matrix y, bool accumulate) {
  multiply_runs(&pool, a, b, y, accumulate);
}

void cpu_add_product_sums(ConstMatrix a, ConstMatrix b, Matrix y) {
  const ConstRows left = rows_of(a), right = rows_of(b);
  vector_ops().product_sums(left.at, left.row, right.at, right.row, a.rows, rows_of(y).at, y.columns);
}

void cpu_scale(ThreadPool& pool, Matrix y, float factor) {
  Runs(y.rows, y.columns, whole(y)).each(&pool, [&](int64_t r, int64_t c, int64_t count) {
    vector_ops().scale(rows_of(y).from(r, c).at, factor, count);
  });
}

void cpu_fill(ThreadPool& pool, Matrix y, float value) {
  Runs(y.rows, y.columns, whole(y)).each(&pool, [&](int64_t r, int64_t c, int64_t count) {
    vector_ops().fill(rows_of(y).from(r, c).at, value, count);
  });
}

void cpu_add_column_sums(ThreadPool& pool, ConstMatrix x, Matrix y) {
  constexpr int64_t kColumns = 64;  // of a task: whole cache lines of each row
  auto task = [&](int64_t i) {
    const int64_t column = i * kColumns;
    const ConstRows from = rows_of(x).from(0, column);
    vector_ops().column_sums(from.at, from.row, x.rows, rows_of(y).at + column,
                             std::min(kColumns, x.columns - column));
  };
  const int64_t tasks = x.rows == 0 ? 0 : (x.columns + kColumns - 1) / kColumns;
  if (x.size() >= 4 * kTask) return pool.run(tasks, task);
  for (int64_t i = 0; i < tasks; ++i) task(i);
}

double cpu_sum_of_squares(ThreadPool& pool, ConstMatrix x) {
  // A block goes over the ends of rows: the numbering of elements knows no gaps.
  auto block_sum = [&](int64_t begin, int64_t end, float* copy) {
    if (whole(x)) return vector_ops().sum_of_squares(rows_of(x).at + begin, end - begin);
    for (int64_t i = begin; i < end;) {
      const int64_t count = std::min(end - i, x.columns - i % x.columns);
      vector_ops().copy(rows_of(x).from(i / x.columns, i % x.columns).at, copy + i - begin, count);
      i += count;
    }
    return vector_ops().sum_of_squares(copy, end - begin);
  };
  const int64_t blocks = (x.size() + kBlock - 1) / kBlock;
  std::vector<double> sums(blocks);
  auto task = [&](int64_t i) {
    ScratchFrame frame;
    float* copy = whole(x) ? nullptr : frame.take(kBlock);
    constexpr int64_t kTogether = kTask / kBlock;
    for (int64_t b = i * kTogether; b < std::min(blocks, (i + 1) * kTogether); ++b) {
      sums[b] = block_sum(b * kBlock, std::min(x.size(), (b + 1) * kBlock), copy);
    }
  };
  pool.run((x.size() + kTask - 1) / kTask, task);
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

void cpu_activate(ThreadPool& pool, Activation kind, ConstMatrix x, Matrix y) {
  const VectorOps& ops = vector_ops();
  const auto kernel = kind == Activation::kTanh   ? ops.tanh
                      : kind == Activation::kRelu ? ops.relu
                                                  : ops.sigmoid;
  Runs(x.rows, x.columns, whole(x) && whole(y)).each(&pool, [&](int64_t r, int64_t c, int64_t count) {
    kernel(rows_of(x).from(r, c).at, rows_of(y).from(r, c).at, count);
  });
}

void cpu_activate_backward(ThreadPool& pool, Activation kind, ConstMatrix y, ConstMatrix d_y, Matrix d_x) {
  const VectorOps& ops = vector_ops();
  const auto kernel = kind == Activation::kTanh   ? ops.tanh_backward
                      : kind == Activation::kRelu ? ops.relu_backward
                                                  : ops.sigmoid_backward;
  const bool no_gaps = whole(y) && whole(d_y) && whole(d_x);
  Runs(y.rows, y.columns, no_gaps).each(&pool, [&](int64_t r, int64_t c, int64_t count) {
    kernel(rows_of(y).from(r, c).at, rows_of(d_y).from(r, c).at, rows_of(d_x).from(r, c).at, count);
  });
}

}  // namespace rondo
