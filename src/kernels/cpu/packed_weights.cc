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
  // Measured: within the second cache (1 MiB here) asking ahead costs up to 10 %, beyond it gains as much.
  fetch_ = source.streams && vectors_of_block * kernels.lanes * words_ * blocks_ > 3 << 17;
  list_panels(source);
  place_panels(packed, source.streams);

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
  const int64_t tiles = (rows + kernels_->max_rows - 1) / kernels_->max_rows;
  const int limit = kernels_->panels(static_cast<int>((rows + tiles - 1) / tiles));
  int64_t count = 1;
  while (count < limit && first + count < end && panels_[first + count].columns == panels_[first].columns &&
         panels_[first + count].packed_k == panels_[first].packed_k &&
         panels_[first + count].packed - panels_[first + count - 1].packed ==
             panels_[first + 1].packed - panels_[first].packed) {
    ++count;
  }
  return count;
}

Tile PackedWeights::make_tile(const Step& step, ConstRows a) const {
  const PanelPlace& place = panels_[step.first];
  Tile tile{.a = a.at, .a_row = a.row, .a_k = 1, .b = place.packed};
  tile.b_k = place.packed_k;
  tile.b += step.first_word * tile.b_k;
  tile.b_panel = step.panels > 1 ? panels_[step.first + 1].packed - place.packed : 0;
  tile.panels = static_cast<int>(step.panels);
  tile.vectors = place.vectors;
  tile.columns = place.columns;
  tile.fetch = fetch_ && place.vectors == 2;
  return tile;
}

/// All of k, in pieces: several tiles pass a panel, and a piece of it stays in the first cache.
void PackedWeights::run(const Step& step, Tile tile, int64_t rows) const {
  const float* scales = tile.scale.rows;  // at the end of k
  const int64_t piece = rows > kernels_->max_rows ? 8192 / width_ : std::max<int64_t>(step.words, 1);
  for (int64_t k = 0; k == 0 || k < step.words; k += piece) {
    tile.k = std::min(piece, step.words - k);
    tile.scale.rows = k + tile.k < step.words ? nullptr : scales;
    multiply_rows(*kernels_, precision_, tile, rows);
    tile.a += tile.k;
    tile.b += tile.k * tile.b_k;
    for (int q = 0; q < tile.panels; ++q) {
      tile.start[q] = tile.c[q];
      tile.start_row[q] = tile.c_row;
    }
  }
}

void PackedWeights::multiply_panels(const Step& step, const Operand& a, Rows c, int64_t rows,
                                    const Part& part) const {
  Tile tile = make_tile(step, a.words);
  tile.c_row = c.row;
  for (int64_t q = 0; q < step.panels; ++q) {
    const int64_t column = panels_[step.first + q].column;
    tile.c[q] = c.at + column;
    if (part.accumulate) {
      tile.start[q] = tile.c[q];
      tile.start_row[q] = c.row;
    } else if (part.start != nullptr) {
      tile.start[q] = part.start + column;
    }
  }
  run(step, tile, rows);
}

/// The whole sums of kInt8 stand apart until they are scaled.
void PackedWeights::multiply_int8_panels(const Step& step, const Operand& a, Rows c, int64_t rows,
                                         const Part& part) const {
  ScratchFrame frame;
  Tile tile = make_tile(step, a.words);
  tile.c_row = width_;
  float* sums = frame.take(step.panels * rows * width_);
  tile.scale = {.rows = a.scales, .start_row = part.accumulate ? c.row : 0, .c_row = c.row};
  for (int64_t q = 0; q < step.panels; ++q) {
    const PanelPlace& place = panels_[step.first + q];
    tile.c[q] = sums + q * rows * width_;
    tile.start[q] = reinterpret_cast<const float*>(offsets_ + place.source);
    tile.scale.columns[q] = scales_ + place.source;
    tile.scale.c[q] = c.at + place.column;
    if (part.accumulate) tile.scale.start[q] = tile.scale.c[q];
    if (part.start != nullptr) tile.scale.start[q] = part.start + place.column;
  }
  run(step, tile, rows);
}

void PackedWeights::multiply(const Operand& a, Rows c, int64_t rows, const Part& part) const {
  const int64_t numbers = numbers_in_word(precision_);
  Step step{.first = part.first_group * blocks_,
            .panels = 0,
            .first_word = part.first_k / numbers,
            .words = part.k < 0 ? words_ : words_of(precision_, part.k)};
  const int64_t end = (part.groups < 0 ? groups_ : part.first_group + part.groups) * blocks_;
  for (; step.first < end; step.first += step.panels) {
    step.panels = joined(step.first, end, rows);
    if (precision_ == Precision::kInt8) {
      multiply_int8_panels(step, a, c, rows, part);
    } else {
      multiply_panels(step, a, c, rows, part);
    }
  }
}

}  // namespace rondo
