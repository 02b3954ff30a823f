#include "kernels/cpu/sequences.h"

#include <algorithm>

#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/runs.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/vector_ops.h"

namespace rondo {

namespace {

/// Number of steps of sequence n; `last` was the last step of sequence n-1.
int64_t last_step(const PackedRows& rows, int64_t n, int64_t last) {
  while (last >= 0 && n >= rows.count(last)) --last;
  return last;
}

}  // namespace

void cpu_gather_rows(ThreadPool& pool, ConstMatrix table, std::span<const int32_t> ids, Matrix y) {
  Runs(y.rows, y.columns, false).each(&pool, [&](int64_t r, int64_t c, int64_t count) {
    vector_ops().copy(rows_of(table).from(ids[r], c).at, rows_of(y).from(r, c).at, count);
  });
}

// Threads take columns: each element of the table has its rows added in their order by one of them.
void cpu_scatter_add_rows(ThreadPool& pool, ConstMatrix d_y, std::span<const int32_t> ids, Matrix d_table) {
  auto add = [&](int64_t begin, int64_t end) {
    const auto kernel = vector_ops().add;
    for (int64_t r = 0; r < d_y.rows; ++r) {
      kernel(rows_of(d_y).from(r, begin).at, rows_of(d_table).from(ids[r], begin).at, end - begin);
    }
  };
  constexpr int64_t kLine = 16;  // floats of a cache line
  const int64_t lines = (d_y.columns + kLine - 1) / kLine;
  if (d_y.size() < 2 * kTask) return add(0, d_y.columns);
  pool.split(lines, 1,
             [&](int64_t begin, int64_t end) { add(begin * kLine, std::min(end * kLine, d_y.columns)); });
}

void cpu_pool_mean(const PackedRows& rows, ConstMatrix x, Matrix y) {
  for (int64_t n = 0; n < y.rows; ++n) vector_ops().fill(rows_of(y).from(n).at, 0, y.columns);
  for (int64_t t = 0; t < rows.steps(); ++t) {
    cpu_copy(x.rows_at(rows.offsets[t], rows.count(t)), y.rows_at(0, rows.count(t)), true);
  }
  int64_t last = rows.steps() - 1;
  for (int64_t n = 0; n < y.rows; ++n) {
    last = last_step(rows, n, last);
    const float length = static_cast<float>(last + 1);
    float* row = rows_of(y).from(n).at;
    // Divided, not multiplied by the inverse: the rounding of the definition.
    for (int64_t c = 0; last >= 0 && c < y.columns; ++c) row[c] /= length;
  }
}

void cpu_pool_max(const PackedRows& rows, ConstMatrix x, Matrix y, Matrix chosen) {
  const int64_t steps = rows.steps();
  const int64_t begun = steps > 0 ? rows.count(0) : 0;
  for (int64_t n = 0; n < y.rows; ++n) {
    int32_t* to = chosen.row<int32_t>(n);
    std::fill_n(to, y.columns, n < begun ? static_cast<int32_t>(n) : -1);
    if (n < begun) {
      vector_ops().copy(rows_of(x).from(n).at, rows_of(y).from(n).at, y.columns);
    } else {
      vector_ops().fill(rows_of(y).from(n).at, 0, y.columns);
    }
  }
  for (int64_t t = 1; t < steps; ++t) {
    for (int64_t n = 0; n < rows.count(t); ++n) {
      const int64_t row = rows.row(t, n);
      vector_ops().max(rows_of(x).from(row).at, static_cast<int32_t>(row), rows_of(y).from(n).at,
                       chosen.row<int32_t>(n), y.columns);
    }
  }
}

void cpu_pool_mean_backward(const PackedRows& rows, ConstMatrix d_y, Matrix d_x) {
  ScratchFrame frame;
  float* share = frame.take(d_y.columns);
  int64_t last = rows.steps() - 1;
  for (int64_t n = 0; n < d_y.rows; ++n) {
    last = last_step(rows, n, last);
    const float length = static_cast<float>(last + 1);
    const float* row = rows_of(d_y).from(n).at;
    for (int64_t c = 0; last >= 0 && c < d_y.columns; ++c) share[c] = row[c] / length;
    for (int64_t t = 0; t <= last; ++t) {
      vector_ops().add(share, rows_of(d_x).from(rows.row(t, n)).at, d_y.columns);
    }
  }
}

}  // namespace rondo
