#include "layers/image_grid.h"

#include "base/errors.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

constexpr Corner kClockwise[] = {Corner::kTopLeft, Corner::kTopRight, Corner::kBottomRight,
                                 Corner::kBottomLeft};

}  // namespace

ImageGrid::ImageGrid(ParameterSet& set, const GridShape& shape, bool corners)
    : blocks_(set, shape), corners_(corners) {
  if (shape.dimensions() != 3) {
    throw_error<ConfigError>("image grid: 3 dimensions (depth, rows, columns), got {}", shape.dimensions());
  }
}

Variable ImageGrid::forward(Tape& tape, const Variable& x, const PatchGrid& patches,
                            Precision precision) const {
  if (x.matrix().rows != patches.rows * patches.columns * patches.images) {
    throw_error<ShapeError>("image grid: x must be [{}*{}*{}, {}], got {}", patches.rows, patches.columns,
                            patches.images, shape().input, to_string(x.shape()));
  }
  const int64_t H = shape().hidden;
  const Variable projected = blocks_.project(x, precision);
  const bool cells = shape().along[0] == Along::kLstm;
  Variable h = cells ? slice(projected, {.columns = H}) : projected;
  Variable m = cells ? slice(projected, {.first_column = H, .columns = H}) : Variable();
  GridStates edge{.h = {{}}, .m = {{}}};
  for (size_t i = 1; i < 3; ++i) {
    edge.h.push_back(tape.input(Tensor::zeros({1, H}, shape().type)));
    edge.m.push_back(shape().along[i] == Along::kLstm ? edge.h.back() : Variable());
  }
  const std::vector<BlockWeights> blocks = blocks_.on_tape(tape, precision);
  for (int64_t layer = 0; layer < shape().layers; ++layer) {
    const GridLayout layout = image_layout(patches, kClockwise[corners_ ? layer % 4 : 0]);
    const StagedLayer out =
        staged_layer(tape, blocks[static_cast<size_t>(layer)], layout,
                     {.h = h, .m = m, .initial = edge, .priority = shape().priority, .precision = precision});
    h = out.h;
    m = out.m;
  }
  const std::vector<Variable> top = {h, m};
  return cells ? concatenate(top) : h;
}

Variable patches_side_by_side(const Variable& y, int64_t images) {
  std::vector<Variable> parts;
  for (int64_t first = 0; first < y.matrix().rows; first += images) {
    parts.push_back(slice(y, {.first_row = first, .rows = images}));
  }
  return concatenate(parts);
}

}  // namespace rondo
