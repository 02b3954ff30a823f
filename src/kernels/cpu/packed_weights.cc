#include "kernels/cpu/packed_weights.h"

#include <algorithm>

namespace rondo {

PackedWeights::PackedWeights(const TileKernels& kernels, FloatMemory& memory, const WeightSource& source)
    : kernels_(&kernels),
      precision_(source.precision),
      words_(words_of(source.precision, source.transposed ? source.b.columns : source.b.rows)),
      units_(source.units),
      width_(2 * kernels.lanes),
      groups_((source.units + width_ - 1) / width_),
      blocks_(static_cast<int64_t>(source.from.size())) {
  // Before the frame: what is taken from another frame while one is open would end with it.
  const int64_t vectors_of_block = (units_ + kernels.lanes - 1) / kernels.lanes;
  float* packed = memory.take(vectors_of_block * kernels.lanes * words_ * blocks_);
  const bool quantizes = precision_ == Precision::kInt8;
  float* scales = quantizes ? memory.take(source.b.rows) : nullptr;
  auto* offsets = quantizes ? reinterpret_cast<int32_t*>(memory.take(source.b.rows)) : nullptr;
  scales_ = scales;
  offsets_ = offsets;
  // Measured with a second cache of 1 MiB and a third of 32. A few rows: one stream is up to a quarter faster
  // within the second cache, asked for ahead also up to 4 MiB; about 1 MiB and beyond 4 it is a tenth slower.
  // Many rows: asking ahead gains a fifth beyond 4 MiB, and before that nothing.
  const int64_t words = words_ + words_of(precision_, source.other_k);
  const int64_t bytes = vectors_of_block * kernels.lanes * words * blocks_ * 4;
  fetch_ = source.streams && bytes > 3 << 19 && bytes <= 4 << 20;
  large_ = !source.streams && bytes > 4 << 20;
  list_panels(source);
  place_panels(packed, fetch_ || (source.streams && bytes <= 3 << 18));

  ScratchFrame frame;
  const ConstMatrix b = quantizes           ? quantize_rows(frame, source.b, scales, offsets)
                        : source.transposed ? words_along_columns(precision_, frame, source.b)
                                            : words_along_rows(precision_, frame, source.b);
  for (const PanelPlace& place : panels_) {
    kernels.pack({.b = rows_of(b).at + place.source * (source.transposed ? b.stride : 1),
                  .b_k = source.transposed ? 1 : b.stride,
                  .b_column = source.transposed ? b.stride : 1,
                  .k = words_,
                  .columns = place.columns,
                  .width = place.vectors * kernels.lanes,
                  .packed_k = place.packed_k,
                  .packed = place.packed});
  }
}

void PackedWeights::list_panels(const WeightSource& source) {
  panels_.reserve(groups_ * blocks_);
  for (int64_t group = 0; group < groups_; ++group) {
    const int64_t unit = group * width_;
    const int64_t columns = std::min(width_, units_ - unit);
    const int vectors = columns > kernels_->lanes ? 2 : 1;
    for (int64_t block = 0; block < blocks_; ++block) {
      panels_.push_back({source.to[block] + unit, source.from[block] + unit, columns, vectors});
    }
  }
}

/// Panel after panel, or groups of equally wide ones, row of k after row.
void PackedWeights::place_panels(float* packed, bool streams) {
  const size_t together = streams ? Tile::kMaxPanels : 1;
  for (size_t first = 0; first < panels_.size();) {
    size_t count = 1;
    while (count < together && first + count < panels_.size() &&
           panels_[first + count].vectors == panels_[first].vectors) {
      ++count;
    }
    const int64_t width = panels_[first].vectors * kernels_->lanes;
    for (size_t q = 0; q < count; ++q) {
      panels_[first + q].packed = packed + static_cast<int64_t>(q) * width;
      panels_[first + q].packed_k = static_cast<int64_t>(count) * width;
    }
    packed += static_cast<int64_t>(count) * width * words_;
    first += count;
  }
}

/// How many panels from `first` on one tile takes beside so many rows: equally wide, equally far apart.
int64_t PackedWeights::joined(int64_t first, int64_t end, int64_t rows) const {
  const int limit = panel_limit(*kernels_, rows);
  int64_t count = 1;
  while (count < limit && first + count < end && panels_[first + count].columns == panels_[first].columns &&
         panels_[first + count].packed_k == panels_[first].packed_k &&
         panels_[first + count].packed - panels_[first + count - 1].packed ==
             panels_[first + 1].packed - panels_[first].packed) {
    ++count;
  }
  return count;
}

/// What all tiles of a call have alike.
Tile PackedWeights::make_tile(const Operand& a, Rows c, int64_t rows, const Part& part) const {
  Tile tile{.a = a.words.at, .a_row = a.words.row, .a_k = 1};
  tile.k = words_;
  tile.rows = static_cast<int>(rows);
  if (precision_ == Precision::kInt8) {
    tile.scale = {.rows = a.scales, .start_row = part.accumulate ? c.row : 0, .c_row = c.row};
    tile.c_row = width_;
  } else {
    tile.c_row = c.row;
  }
  return tile;
}

/// Panels first .. first+panels-1: where their words, their results and what those begin with stand.
void PackedWeights::place(Tile& tile, int64_t first, int64_t panels, Rows c, const Part& part) const {
  const PanelPlace& place = panels_[first];
  tile.b_k = place.packed_k;
  tile.b = place.packed;
  tile.b_panel = panels > 1 ? panels_[first + 1].packed - place.packed : 0;
  tile.panels = static_cast<int>(panels);
  tile.vectors = place.vectors;
  tile.columns = place.columns;
  tile.fetch = fetch_ && place.vectors == 2;
  for (int64_t q = 0; q < panels; ++q) {
    const PanelPlace& panel = panels_[first + q];
    float* to = c.at + panel.column;
    const float* start = part.accumulate ? to : part.start == nullptr ? nullptr : part.start + panel.column;
    if (precision_ == Precision::kInt8) {
      tile.scale.columns[q] = scales_ + panel.source;
      tile.scale.c[q] = to;
      tile.scale.start[q] = start;
      tile.start[q] = reinterpret_cast<const float*>(offsets_ + panel.source);
      tile.start_row[q] = 0;
    } else {
      tile.c[q] = to;
      tile.start[q] = start;
      tile.start_row[q] = part.accumulate ? c.row : 0;
    }
  }
}

/// Several tiles pass a panel: in pieces of k that stay in the first cache. The whole sums of kInt8 stand
/// apart until they are scaled.
void PackedWeights::multiply_pieces(Tile tile, int64_t rows) const {
  ScratchFrame frame;
  for (int q = 0; q < tile.panels && precision_ == Precision::kInt8; ++q) {
    tile.c[q] = frame.take(rows * width_);
  }
  const int64_t words = tile.k;
  const float* scales = tile.scale.rows;  // at the end of k
  const int64_t piece = kPieceFloats / width_;
  for (int64_t k = 0; k == 0 || k < words; k += piece) {
    tile.k = std::min(piece, words - k);
    tile.scale.rows = k + tile.k < words ? nullptr : scales;
    tile.ahead = large_ ? tile.b + tile.k * tile.b_k : nullptr;
    multiply_rows(*kernels_, precision_, tile, rows);
    tile.a += tile.k;
    tile.b += tile.k * tile.b_k;
    for (int q = 0; q < tile.panels; ++q) {
      tile.start[q] = tile.c[q];
      tile.start_row[q] = tile.c_row;
    }
  }
}

void PackedWeights::multiply(const Operand& a, Rows c, int64_t rows, const Part& part) const {
  const TileKernels::Multiply multiply_tile = kernels_->multiply(precision_);
  Tile tile = make_tile(a, c, rows, part);
  const int64_t end = (part.groups < 0 ? groups_ : part.first_group + part.groups) * blocks_;
  for (int64_t first = part.first_group * blocks_; first < end;) {
    const int64_t panels = joined(first, end, rows);
    place(tile, first, panels, c, part);
    if (rows <= kernels_->max_rows) {
      multiply_tile(tile);
    } else {
      multiply_pieces(tile, rows);
    }
    first += panels;
  }
}

}  // namespace rondo
