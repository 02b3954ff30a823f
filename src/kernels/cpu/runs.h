// Matrices as runs of elements that stand side by side, cut into tasks whose size depends on the shape only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/threads.h"
#include "kernels/cpu/cells.h"

namespace rondo {

inline constexpr int64_t kTask = 65536;  // elements of one task: some 10 microseconds

inline bool whole(const ConstMatrix& m) { return m.rows <= 1 || m.stride == m.columns; }

/// A matrix as runs of elements that stand side by side: one run if no operand has gaps, else one a row.
struct Runs {
  int64_t rows, columns;

  Runs(int64_t rows_, int64_t columns_, bool no_gaps)
      : rows(no_gaps ? 1 : rows_), columns(no_gaps ? rows_ * columns_ : columns_) {}

  /// Calls body(row, column, count) for pieces of at most kTask elements, on the pool if there are many.
  template <class Body>
  void each(ThreadPool* pool, Body&& body) const {
    const int64_t pieces = (columns + kTask - 1) / kTask;                                  // of a row
    const int64_t together = std::max<int64_t>(kTask / std::max<int64_t>(columns, 1), 1);  // rows of a task
    const int64_t tasks = pieces > 1 ? rows * pieces : (rows + together - 1) / together;
    auto task = [&](int64_t i) {
      if (pieces > 1) {
        const int64_t column = i % pieces * kTask;
        return body(i / pieces, column, std::min(kTask, columns - column));
      }
      for (int64_t r = i * together; r < std::min(rows, (i + 1) * together); ++r) body(r, 0, columns);
    };
    if (rows * columns == 0) return;
    if (pool == nullptr || tasks == 1) {
      for (int64_t i = 0; i < tasks; ++i) task(i);
    } else {
      pool->run(tasks, task);
    }
  }
};

}  // namespace rondo
