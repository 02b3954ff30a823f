#include "kernels/cpu/product.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/scratch.h"
#include "kernels/cpu/tile.h"
#include "kernels/cpu/words.h"

namespace rondo {

namespace {

constexpr int64_t kBlockRows = 96;            // rows that pass a panel before the next: their `a` stays in L2
constexpr int64_t kFewPanels = 3;             // for which packing a transposed `a` does not pay
constexpr int64_t kSmall = int64_t{1} << 22;  // operations; below, waking a thread costs more than it brings

/// A product of words whose b is being packed, cut into blocks of rows and groups of panels.
struct Plan {
  const TileKernels& kernels;
  Product p;
  int64_t m, n, k;
  int64_t width;  ///< columns of a full panel
  int64_t num_panels;
  int64_t block_k;
  float* packed;  ///< panel after panel, [num_panels][k][width]
  bool direct;    ///< full panels are read where they stand
  bool packs_a;   ///< a stands by columns: its rows are brought together, tile by tile

  int64_t columns(int64_t panel) const { return std::min(width, n - panel * width); }
  int vectors(int64_t panel) const { return columns(panel) > kernels.lanes ? 2 : 1; }
  bool reads_in_place(int64_t panel) const { return direct && columns(panel) == width; }
};

const float* floats(ConstMatrix m) { return static_cast<const float*>(m.data); }
float* floats(Matrix m) { return static_cast<float*>(m.data); }

void pack_panel(const Plan& plan, int64_t panel) {
  if (plan.reads_in_place(panel)) return;
  const int64_t stride = plan.p.b.stride;
  const bool transposed = plan.p.transpose_b;
  plan.kernels.pack({.b = floats(plan.p.b) + panel * plan.width * (transposed ? stride : 1),
                     .b_k = transposed ? 1 : stride,
                     .b_column = transposed ? stride : 1,
                     .k = plan.k,
                     .columns = plan.columns(panel),
                     .width = plan.vectors(panel) * plan.kernels.lanes,
                     .packed_k = plan.vectors(panel) * plan.kernels.lanes,
                     .packed = plan.packed + panel * plan.width * plan.k});
}

/// How many panels from `panel` on go into one tile beside `rows` rows.
int panels_together(const Plan& plan, int64_t panel, int64_t end, int64_t rows) {
  const int limit = panel_limit(plan.kernels, rows);
  int together = 1;
  while (together < limit && panel + together < end && plan.columns(panel + together) == plan.width &&
         plan.reads_in_place(panel) == plan.reads_in_place(panel + together)) {
    ++together;
  }
  return together;
}

/// Rows row .. of a transposed a, words k0 .., tile after tile.
void pack_a(const Plan& plan, int64_t row, int64_t rows, int64_t k0, int64_t depth, float* packed) {
  const float* from = floats(plan.p.a) + k0 * plan.p.a.stride + row;
  each_tile(plan.kernels, rows, [&](int64_t first, int height) {
    for (int64_t k = 0; k < depth; ++k, packed += height) {
      const float* column = from + k * plan.p.a.stride + first;
      if (height == 8) {
        std::memcpy(packed, column, 8 * sizeof(float));  // in registers
      } else {
        std::copy_n(column, height, packed);
      }
    }
  });
}

Tile make_tile(const Plan& plan, int64_t row, int64_t panel, int together, int64_t k0,
               const float* packed_a) {
  const Product& p = plan.p;
  Tile tile{.a_row = p.transpose_a ? 1 : p.a.stride, .a_k = p.transpose_a ? p.a.stride : 1};
  tile.a = floats(p.a) + row * tile.a_row + k0 * tile.a_k;
  if (packed_a != nullptr) {
    tile.a = packed_a;
    tile.a_packed = true;
  }
  tile.vectors = plan.vectors(panel);
  if (plan.reads_in_place(panel)) {
    tile.b = floats(p.b) + panel * plan.width + k0 * p.b.stride;
    tile.b_k = p.b.stride;
    tile.b_panel = plan.width;
  } else {
    tile.b_k = tile.vectors * plan.kernels.lanes;
    tile.b = plan.packed + panel * plan.width * plan.k + k0 * tile.b_k;
    tile.b_panel = plan.width * plan.k;
  }
  tile.k = std::min(plan.block_k, plan.k - k0);
  tile.panels = together;
  tile.columns = plan.columns(panel);
  tile.c_row = p.c.stride;
  for (int q = 0; q < together; ++q) {
    const int64_t column = (panel + q) * plan.width;
    tile.c[q] = floats(p.c) + row * p.c.stride + column;
    if (k0 > 0 || p.accumulate) {
      tile.start[q] = tile.c[q];
      tile.start_row[q] = p.c.stride;
    } else if (p.bias) {
      tile.start[q] = floats(p.bias) + column;
    }
  }
  return tile;
}

void multiply_block(const Plan& plan, int64_t row, int64_t rows, int64_t panel, int64_t end) {
  ScratchFrame frame;
  float* packed_a = plan.packs_a ? frame.take(rows * plan.block_k) : nullptr;
  // k = 0 has one pass too: it writes the bias or zeros.
  for (int64_t k0 = 0; k0 == 0 || k0 < plan.k; k0 += plan.block_k) {
    if (packed_a != nullptr) pack_a(plan, row, rows, k0, std::min(plan.block_k, plan.k - k0), packed_a);
    for (int64_t q = panel; q < end;) {
      const int together = panels_together(plan, q, end, rows);
      const Tile tile = make_tile(plan, row, q, together, k0, packed_a);
      multiply_rows(plan.kernels, plan.p.precision, tile, rows);
      q += together;
    }
  }
}

/// The same product of words: pairs of bfloat16 along k.
Product words_of_product(const Product& p, ScratchFrame& frame) {
  Product words = p;
  words.a = (p.transpose_a ? words_along_rows : words_along_columns)(p.precision, frame, p.a);
  words.b = (p.transpose_b ? words_along_columns : words_along_rows)(p.precision, frame, p.b);
  return words;
}

Plan make_plan(const Product& product, ScratchFrame& frame) {
  const Product p = words_of_product(product, frame);
  const TileKernels& kernels = tile_kernels();
  const int64_t k = p.transpose_a ? p.a.rows : p.a.columns;
  const int64_t width = 2 * kernels.lanes;
  const int64_t num_panels = (p.c.columns + width - 1) / width;
  // A few rows are multiplied faster than b is packed, if its rows do not each stand on another page.
  const bool direct = !p.transpose_b && p.c.rows <= (p.b.stride <= 1024 ? 6 : 1) * kernels.max_rows;
  return {.kernels = kernels,
          .p = p,
          .m = p.c.rows,
          .n = p.c.columns,
          .k = k,
          .width = width,
          .num_panels = num_panels,
          .block_k = kPieceFloats / width,
          .packed = frame.take(num_panels * width * k),
          .direct = direct,
          .packs_a = p.transpose_a && num_panels > kFewPanels};
}

}  // namespace

void cpu_product(ThreadPool& pool, const Product& p) {
  if (p.c.rows == 0 || p.c.columns == 0) return;
  ScratchFrame frame;
  const Plan plan = make_plan(p, frame);
  if (2 * plan.m * plan.n * plan.k < kSmall || pool.threads() == 1) {
    for (int64_t panel = 0; panel < plan.num_panels; ++panel) pack_panel(plan, panel);
    for (int64_t row = 0; row < plan.m; row += kBlockRows) {
      multiply_block(plan, row, std::min(kBlockRows, plan.m - row), 0, plan.num_panels);
    }
    return;
  }
  pool.run(plan.num_panels, [&](int64_t panel) { pack_panel(plan, panel); });
  const int64_t row_blocks = (plan.m + kBlockRows - 1) / kBlockRows;
  const int64_t wanted = 4 * pool.threads();  // tasks: enough that none waits long for the last
  const int64_t groups = std::clamp<int64_t>((wanted + row_blocks - 1) / row_blocks, 1, plan.num_panels);
  pool.run(row_blocks * groups, [&](int64_t task) {
    const int64_t row = task / groups * kBlockRows;
    const int64_t group = task % groups;
    multiply_block(plan, row, std::min(kBlockRows, plan.m - row), group * plan.num_panels / groups,
                   (group + 1) * plan.num_panels / groups);
  });
}

}  // namespace rondo
