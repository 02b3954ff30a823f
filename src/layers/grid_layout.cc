#include "layers/grid_layout.h"

#include <algorithm>

namespace rondo {

GridLayout sequence_layout(const Packing& packing, bool reverse) {
  const PackedRows rows = packing.rows();
  GridLayout layout{.offsets = {0}, .order = {}, .before = {{}}, .initial = rows.sequences};
  for (int64_t s = 0; s < rows.steps(); ++s) {
    const int64_t t = reverse ? rows.steps() - 1 - s : s;
    const int64_t begun = s == 0 ? 0 : std::min(rows.count(t), rows.count(reverse ? t + 1 : t - 1));
    for (int64_t n = 0; n < rows.count(t); ++n) {
      layout.order.push_back(static_cast<int32_t>(rows.row(t, n)));
      layout.before[0].push_back(static_cast<int32_t>(n < begun ? n : -1 - n));
    }
    layout.offsets.push_back(layout.num_rows());
  }
  return layout;
}

GridLayout image_layout(const PatchGrid& grid, Corner corner) {
  const bool down = corner == Corner::kTopLeft || corner == Corner::kTopRight;
  const bool right = corner == Corner::kTopLeft || corner == Corner::kBottomLeft;
  GridLayout layout{.offsets = {0}, .order = {}, .before = {{}, {}}, .initial = 1};
  for (int64_t s = 0; grid.images > 0 && s < grid.rows + grid.columns - 1; ++s) {
    // Patches (i, s-i), counted from the corner; the stage before has rows first_before ... of them.
    const int64_t first = std::max<int64_t>(0, s - grid.columns + 1);
    const int64_t first_before = std::max<int64_t>(0, s - grid.columns);
    for (int64_t i = first; i <= std::min(s, grid.rows - 1); ++i) {
      const int64_t j = s - i;
      const int64_t r = down ? i : grid.rows - 1 - i;
      const int64_t c = right ? j : grid.columns - 1 - j;
      for (int64_t n = 0; n < grid.images; ++n) {
        const auto at = [&](int64_t row) {
          return static_cast<int32_t>((row - first_before) * grid.images + n);
        };
        layout.order.push_back(static_cast<int32_t>((r * grid.columns + c) * grid.images + n));
        layout.before[0].push_back(i > 0 ? at(i - 1) : -1);
        layout.before[1].push_back(j > 0 ? at(i) : -1);
      }
    }
    layout.offsets.push_back(layout.num_rows());
  }
  return layout;
}

}  // namespace rondo
