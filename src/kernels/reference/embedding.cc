#include <algorithm>

#include "kernels/reference/checks.h"
#include "kernels/reference/reference_backend.h"
#include "kernels/reference/view.h"

namespace rondo {

using reference::Checks;
using reference::view;
using reference::View;
using reference::with_scalar;

// y[r] = table[ids[r]]
void ReferenceBackend::gather_rows(ConstMatrix table, std::span<const int32_t> ids, Matrix y) {
  const Checks checks("gather_rows", table.type);
  checks.shape("table", table, table.rows, table.columns);
  checks.ids("ids", ids, y.rows, table.rows);
  checks.shape("y", y, y.rows, table.columns);
  with_scalar("gather_rows", table.type, [&]<class T>(T) {
    const View<const T> from = view<T>(table);
    const View<T> to = view<T>(y);
    for (int64_t r = 0; r < to.rows; ++r) std::copy_n(from.row(ids[r]), to.columns, to.row(r));
  });
}

// d_table[ids[r]] += d_y[r]: rows of one id are added in the order r = 0, 1, 2, ...
void ReferenceBackend::scatter_add_rows(ConstMatrix d_y, std::span<const int32_t> ids, Matrix d_table) {
  const Checks checks("scatter_add_rows", d_y.type);
  checks.shape("d_y", d_y, d_y.rows, d_y.columns);
  checks.ids("ids", ids, d_y.rows, d_table.rows);
  checks.shape("d_table", d_table, d_table.rows, d_y.columns);
  with_scalar("scatter_add_rows", d_y.type, [&]<class T>(T) {
    const View<const T> from = view<T>(d_y);
    const View<T> to = view<T>(d_table);
    for (int64_t r = 0; r < from.rows; ++r) {
      for (int64_t c = 0; c < from.columns; ++c) to(ids[r], c) += from(r, c);
    }
  });
}

}  // namespace rondo
