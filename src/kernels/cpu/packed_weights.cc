#include "kernels/cpu/packed_weights.h"

#include <algorithm>

#include "kernels/cpu/product.h"

namespace rondo {

PackedWeights::PackedWeights(const TileKernels& kernels, ScratchFrame& frame, const WeightSource& source)
    : kernels_(&kernels),
      k_(source.k),
      units_(source.units),
      width_(2 * kernels.lanes),
      groups_((source.units + width_ - 1) / width_),
      blocks_(static_cast<int64_t>(source.from.size())) {
  for (int64_t group = 0; group < groups_; ++group) {
    const int64_t unit = group * width_;
    const int64_t columns = std::min(width_, units_ - unit);
    const int vectors = columns > kernels.lanes ? 2 : 1;
    for (int64_t block = 0; block < blocks_; ++block) {
      const Panel panel{.b = source.b + (source.from[block] + unit) * source.b_column,
                        .b_k = source.b_k,
                        .b_column = source.b_column,
                        .k = k_,
                        .columns = columns,
                        .width = vectors * kernels.lanes,
                        .packed = frame.take(vectors * kernels.lanes * k_)};
      kernels.pack(panel);
      panels_.push_back({panel.packed, source.to[block] + unit, columns, vectors});
    }
  }
}

int64_t PackedWeights::joined(int64_t first, int64_t end, int64_t rows) const {
  const int64_t tiles = (rows + kernels_->max_rows - 1) / kernels_->max_rows;
  const int limit = kernels_->panels(static_cast<int>((rows + tiles - 1) / tiles));
  int64_t count = 1;
  while (count < limit && first + count < end && panels_[first + count].columns == panels_[first].columns &&
         panels_[first + count].packed - panels_[first + count - 1].packed ==
             panels_[first + 1].packed - panels_[first].packed) {
    ++count;
  }
  return count;
}

Tile PackedWeights::make_tile(int64_t first, int64_t panels, ConstRows a, Rows c, bool accumulate) const {
  const PanelPlace& place = panels_[first];
  Tile tile{.a = a.at, .a_row = a.row, .a_k = 1, .b = place.packed};
  tile.b_k = place.vectors * kernels_->lanes;
  tile.b_panel = panels > 1 ? panels_[first + 1].packed - place.packed : 0;
  tile.panels = static_cast<int>(panels);
  tile.vectors = place.vectors;
  tile.columns = place.columns;
  tile.c_row = c.row;
  for (int64_t q = 0; q < panels; ++q) {
    tile.c[q] = c.at + panels_[first + q].column;
    tile.start[q] = accumulate ? tile.c[q] : nullptr;
    tile.start_row[q] = c.row;
  }
  return tile;
}

void PackedWeights::multiply(ConstRows a, Rows c, int64_t rows, const Part& part) const {
  const int64_t depth = part.k < 0 ? k_ : part.k;
  // Several tiles pass a panel: a piece of it that stays in the first cache.
  const int64_t block_k = rows > kernels_->max_rows ? 8192 / width_ : std::max<int64_t>(depth, 1);
  const int64_t end = (part.groups < 0 ? groups_ : part.first_group + part.groups) * blocks_;
  for (int64_t first = part.first_group * blocks_; first < end;) {
    const int64_t panels = joined(first, end, rows);
    for (int64_t k = 0; k == 0 || k < depth; k += block_k) {
      Tile tile = make_tile(first, panels, a, c, part.accumulate || k > 0);
      tile.a += k;
      tile.b += (part.first_k + k) * tile.b_k;
      tile.k = std::min(block_k, depth - k);
      multiply_rows(*kernels_, tile, rows);
    }
    first += panels;
  }
}

}  // namespace rondo
