#include "layers/grid_stream.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace rondo {

GridStream::GridStream(const GridStack& grid, Backend& backend, std::shared_ptr<const PreparedStack> prepared,
                       int64_t most_steps)
    : grid_(&grid),
      backend_(&backend),
      prepared_(std::move(prepared)),
      hidden_(grid.options().hidden),
      layers_(grid.options().layers),
      width_(grid.options().output_of(0)),
      h_size_(grid.options().state_of(0)),
      c_size_(grid.options().cell_state_of(0)),
      offsets_(size(most_steps + 1)),
      states_(at(layers_) + size(width_) + 1) {
  std::iota(offsets_.begin(), offsets_.end(), 0);
  for (std::vector<float>* buffer : {&y_, &shifted_, &cells_, &last_, &h_[0], &h_[1], &m_[0], &m_[1]}) {
    buffer->resize(size(most_steps * hidden_));
  }
  projected_.resize(size(most_steps * width_));
  top_.resize(size(most_steps * width_));
  gates_.resize(size(most_steps * 4 * hidden_));
}

Matrix GridStream::rows_of(std::vector<float>& buffer, int64_t rows, int64_t columns) const {
  return {buffer.data(), DType::kFloat32, rows, columns, columns};
}

void GridStream::set_state(std::span<const float> state) {
  std::copy(state.begin(), state.end(), states_.begin());
}

void GridStream::reset() { std::fill(states_.begin(), states_.end(), 0.0F); }

ConstMatrix GridStream::project(ConstMatrix x) {
  const Matrix to = rows_of(projected_, x.rows, width_);
  const GridBlocks& blocks = grid_->blocks(0);
  backend_->product({.a = x,
                     .b = blocks.input_weight(),
                     .c = to,
                     .bias = blocks.input_bias(),
                     .transpose_b = true,
                     .precision = prepared_->precision});
  return to;
}

ConstMatrix GridStream::look_up(std::span<const int32_t> ids) {
  const Matrix to = rows_of(projected_, static_cast<int64_t>(ids.size()), width_);
  backend_->gather_rows(prepared_->tables.at(0).matrix(), ids, to);
  return to;
}

ConstMatrix GridStream::read(ConstMatrix projected) {
  const int64_t steps = projected.rows;
  const bool cells = width_ > hidden_;
  Rows rows{.h = projected.columns_at(0, hidden_), .m = {}};
  if (cells) rows.m = projected.columns_at(hidden_, hidden_);
  for (int64_t layer = 0; layer < layers_; ++layer) rows = run_layer(layer, rows, steps);
  const Matrix top = rows_of(top_, steps, width_);
  backend_->copy(rows.h, top.columns_at(0, hidden_), false);
  if (cells) backend_->copy(rows.m, top.columns_at(hidden_, hidden_), false);
  std::copy_n(top.row<float>(steps - 1), width_, &states_[at(layers_)]);
  return top;
}

GridStream::Rows GridStream::run_layer(int64_t layer, const Rows& in, int64_t steps) {
  const GridOptions& options = grid_->options().grid;
  if (options.dimensions() == 1) return depth(layer, {.h = {}, .m = in.m}, in.h, 0);
  const Matrix y = rows_of(y_, steps, hidden_);
  if (options.priority == Priority::kDepth) {
    time(layer, in.h, y);
    return depth(layer, in, y, 0);
  }
  const ConstMatrix state(&states_[at(layer)], DType::kFloat32, 1, hidden_, hidden_);
  if (options.priority == Priority::kNone) {
    const Matrix before = rows_of(shifted_, steps, hidden_);
    backend_->copy(state, before.rows_at(0, 1), false);
    time(layer, in.h, y);
    if (steps > 1) backend_->copy(y.rows_at(0, steps - 1), before.rows_at(1, steps - 1), false);
    return depth(layer, in, before, 0);
  }
  Rows all;
  for (int64_t t = 0; t < steps; ++t) {
    const Rows row{.h = in.h.rows_at(t, 1), .m = in.m ? in.m.rows_at(t, 1) : ConstMatrix()};
    const Rows out = depth(layer, row, state, t);
    time(layer, out.h, y.rows_at(t, 1));
    if (t == 0) all = out;
  }
  all.h.rows = steps;
  if (all.m) all.m.rows = steps;
  return all;
}

// The states of the layer are read when the pass begins and written when it ends.
void GridStream::time(int64_t layer, ConstMatrix x, const Matrix& y) {
  const GridBlocks& blocks = grid_->blocks(0);
  const Matrix h{&states_[at(layer)], DType::kFloat32, 1, hidden_, hidden_};
  const CellKind kind = blocks.shape().kind(1);
  RecurrentDirection direction{.weights = blocks.weights(layer, 1),
                               .packed = prepared_->packed[packed_index(blocks.shape(), 0, layer, 1)].get(),
                               .h0 = h,
                               .y = y,
                               .h_n = h,
                               .gates = rows_of(gates_, x.rows, kind.saved_blocks() * hidden_)};
  if (kind.has_cell_state()) {
    const Matrix c{&states_[at(layer) + size(h_size_)], DType::kFloat32, 1, hidden_, hidden_};
    direction.c0 = c;
    direction.c_n = c;
    direction.cells = rows_of(cells_, x.rows, hidden_);
  }
  backend_->recurrent_forward({.kind = kind,
                               .rows = {std::span(offsets_).first(size(x.rows) + 1), 1},
                               .x = x,
                               .precision = prepared_->precision,
                               .directions = std::span(&direction, 1)});
}

// @param other  the last part of H; in.h without rows: it is all of it.  @param first  row of the results.
GridStream::Rows GridStream::depth(int64_t layer, const Rows& in, ConstMatrix other, int64_t first) {
  const GridBlocks& blocks = grid_->blocks(0);
  const int64_t rows = other.rows;
  const CellKind kind = blocks.shape().kind(0);
  const auto result = [&](std::vector<float>& buffer) {
    return rows_of(buffer, first + rows, hidden_).rows_at(first, rows);
  };
  const Matrix h = result(h_[layer % 2]);
  Rows out{.h = h, .m = {}};
  RecurrentDirection direction{.weights = blocks.weights(layer, 0),
                               .packed = prepared_->packed[packed_index(blocks.shape(), 0, layer, 0)].get(),
                               .h0 = other,
                               .y = h,
                               .h_n = rows_of(last_, rows, hidden_),
                               .gates = rows_of(gates_, rows, kind.saved_blocks() * hidden_)};
  if (kind.has_cell_state()) {
    const Matrix m = result(m_[layer % 2]);
    out.m = m;
    direction.c0 = in.m;
    direction.c_n = m;
    direction.cells = rows_of(cells_, rows, hidden_);
  }
  const std::array<int64_t, 2> all = {0, rows};
  backend_->recurrent_forward({.kind = kind,
                               .rows = {all, rows},
                               .x = in.h ? in.h : ConstMatrix(gates_.data(), DType::kFloat32, rows, 0, 0),
                               .precision = prepared_->precision,
                               .directions = std::span(&direction, 1)});
  return out;
}

}  // namespace rondo
