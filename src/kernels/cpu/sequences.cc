#include "kernels/cpu/sequences.h"

#include <algorithm>
#include <functional>

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

void cpu_pool_max_backward(ConstMatrix d_y, ConstMatrix chosen, Matrix d_x) {
  for (int64_t n = 0; n < d_y.rows; ++n) {
    const int32_t* rows = chosen.row<int32_t>(n);
    const float* d = rows_of(d_y).from(n).at;
    for (int64_t c = 0; c < d_y.columns; ++c) {
      if (rows[c] >= 0) rows_of(d_x).from(rows[c]).at[c] += d[c];
    }
  }
}

namespace {

/// Calls body(n, length) for each sequence, on the pool if all rows are worth it.
void each_sequence(ThreadPool& pool, const PackedRows& rows, int64_t columns,
                   const std::function<void(int64_t, int64_t)>& body) {
  const int64_t row_share = std::max<int64_t>(rows.rows() / std::max<int64_t>(rows.sequences, 1), 1);
  pool.split(rows.sequences, 1 + kTask / (row_share * std::max<int64_t>(columns, 1)),
             [&](int64_t begin, int64_t end) {
               int64_t last = rows.steps() - 1;
               for (int64_t n = begin; n < end; ++n) {
                 last = last_step(rows, n, last);
                 body(n, last + 1);
               }
             });
}

}  // namespace

void cpu_attend(ThreadPool& pool, const PackedRows& rows, ConstMatrix scores, ConstMatrix x, Matrix weights,
                Matrix y) {
  each_sequence(pool, rows, x.columns, [&](int64_t n, int64_t length) {
    float* to = rows_of(y).from(n).at;
    vector_ops().fill(to, 0, y.columns);
    if (length == 0) return;
    ScratchFrame frame;  // the sequence's scores side by side
    float* shares = frame.take(length);
    for (int64_t t = 0; t < length; ++t) shares[t] = *rows_of(scores).from(rows.row(t, n)).at;
    const float most = vector_ops().largest(shares, length);
    vector_ops().divide(shares, vector_ops().exponentials(shares, most, shares, length), length);
    for (int64_t t = 0; t < length; ++t) {
      const int64_t r = rows.row(t, n);
      *rows_of(weights).from(r).at = shares[t];
      vector_ops().add_scaled(shares[t], rows_of(x).from(r).at, to, y.columns);
    }
  });
}

// With d_w[r] = d_y[n] . x[r]:  d_scores[r] += w[r] * (d_w[r] - sum over r' of w[r'] * d_w[r']).
void cpu_attend_backward(ThreadPool& pool, const PackedRows& rows, ConstMatrix weights, ConstMatrix x,
                         ConstMatrix d_y, Matrix d_scores, Matrix d_x) {
  each_sequence(pool, rows, x.columns, [&](int64_t n, int64_t length) {
    const float* d = rows_of(d_y).from(n).at;
    const auto weight = [&](int64_t t) { return *rows_of(weights).from(rows.row(t, n)).at; };
    for (int64_t t = 0; d_x && t < length; ++t) {
      vector_ops().add_scaled(weight(t), d, rows_of(d_x).from(rows.row(t, n)).at, d_x.columns);
    }
    if (!d_scores) return;
    ScratchFrame frame;
    float* d_weights = frame.take(length);
    float mean = 0;
    for (int64_t t = 0; t < length; ++t) {
      d_weights[t] = vector_ops().dot(d, rows_of(x).from(rows.row(t, n)).at, x.columns);
      mean += weight(t) * d_weights[t];
    }
    for (int64_t t = 0; t < length; ++t) {
      *rows_of(d_scores).from(rows.row(t, n)).at += weight(t) * (d_weights[t] - mean);
    }
  });
}

}  // namespace rondo
