#include "rondo_peak.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/tile.h"

namespace rondo::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kDepth = 128;

/// GF/s of tiles of so many rows: the best of some short runs.
double rate_of(const TileKernels& kernels, int rows) {
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
  constexpr int kTiles = 1000;
  double best = 0;
  for (int run = 0; run < 20; ++run) {
    const auto begin = Clock::now();
    for (int i = 0; i < kTiles; ++i) kernels.multiply(tile);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    best = std::max(best, 2e-9 * static_cast<double>(kTiles * rows * panels * kDepth * width) / seconds);
  }
  return best;
}

}  // namespace

double measured_peak(const std::string& precision) {
  if (precision != "f32") return 0;
  make_cpu_backend(1);  // reads RONDO_TARGET
  const TileKernels& kernels = tile_kernels();
  double best = 0;
  for (int rows = 1; rows <= kernels.max_rows; ++rows) best = std::max(best, rate_of(kernels, rows));
  return best;
}

}  // namespace rondo::bench
