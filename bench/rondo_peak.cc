#include "rondo_peak.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/tile.h"
#include "kernels/cpu/words.h"

namespace rondo::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kDepth = 128;

/// GF/s of tiles of so many rows: the best of some short runs. A word of the operands holds several numbers
/// of a narrow precision; what bits they hold does not matter but for denormals.
double rate_of(const TileKernels& kernels, Precision precision, int rows) {
  const int panels = kernels.panels(rows);
  const int64_t width = 2 * kernels.lanes;
  const std::vector<float> a(rows * kDepth, 0.5F), b(panels * kDepth * width, 0.25F);
  std::vector<float> c(rows * panels * width);
  Tile tile{.a = a.data(), .a_row = kDepth, .b = b.data(), .b_k = width, .b_panel = kDepth * width};
  tile.k = kDepth;
  tile.rows = rows;
  tile.panels = panels;
  tile.columns = width;
  for (int q = 0; q < panels; ++q) tile.c[q] = c.data() + q * width;
  tile.c_row = panels * width;
  const auto multiply = kernels.multiply(precision);
  const double operations =
      2e-9 * static_cast<double>(rows * panels * kDepth * width * numbers_in_word(precision));
  constexpr int kTiles = 1000;
  double best = 0;
  for (int run = 0; run < 20; ++run) {
    const auto begin = Clock::now();
    for (int i = 0; i < kTiles; ++i) multiply(tile);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    best = std::max(best, kTiles * operations / seconds);
  }
  return best;
}

}  // namespace

double measured_peak(Precision precision) {
  make_cpu_backend(1);  // reads RONDO_TARGET
  const TileKernels& kernels = tile_kernels();
  double best = 0;
  for (int rows = 1; rows <= kernels.max_rows; ++rows)
    best = std::max(best, rate_of(kernels, precision, rows));
  return best;
}

}  // namespace rondo::bench
