#include "layers/image_block.h"

#include <cmath>
#include <memory>

#include "base/errors.h"
#include "layers/initialize.h"
#include "layers/pooling.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

constexpr int64_t kPlaces = 9;  // of a window

using Rows = std::vector<int32_t>;

// The pixel at one place of the window around every pixel of the result's 2x2 squares, square by square's
// first, second, third and fourth pixel: so that four rows that are maximised stand as a sequence's steps.
Rows place_of_windows(const PatchGrid& grid, int64_t dy, int64_t dx) {
  const auto outside = static_cast<int32_t>(grid.rows * grid.columns * grid.images);
  Rows rows;
  rows.reserve(static_cast<size_t>(4 * (grid.rows / 2) * (grid.columns / 2) * grid.images));
  for (int64_t corner = 0; corner < 4; ++corner) {
    for (int64_t r = 0; r < grid.rows / 2; ++r) {
      for (int64_t c = 0; c < grid.columns / 2; ++c) {
        const int64_t y = 2 * r + corner / 2 + dy, x = 2 * c + corner % 2 + dx;
        const bool inside = y >= 0 && y < grid.rows && x >= 0 && x < grid.columns;
        const auto first = static_cast<int32_t>((y * grid.columns + x) * grid.images);
        for (int32_t n = 0; n < grid.images; ++n) rows.push_back(inside ? first + n : outside);
      }
    }
  }
  return rows;
}

// [4 * R', 9 * D]: the windows of all pixels that a square has.
Variable windows_of(const Variable& x, const PatchGrid& grid) {
  Backend& backend = x.tape().backend();
  const int64_t pixels = x.matrix().rows, columns = x.matrix().columns;
  const Tensor table({pixels + 1, columns}, x.value().type());  // the last row is what stands outside
  backend.copy(x.matrix(), table.matrix().rows_at(0, pixels), false);
  backend.fill(table.matrix().rows_at(pixels, 1), 0);
  auto places = std::make_shared<std::vector<Rows>>();
  for (int64_t place = 0; place < kPlaces; ++place) {
    places->push_back(place_of_windows(grid, place / 3 - 1, place % 3 - 1));
  }
  const auto rows = static_cast<int64_t>(places->front().size());
  const Tensor y({rows, kPlaces * columns}, x.value().type());
  for (int64_t place = 0; place < kPlaces; ++place) {
    backend.gather_rows(table.matrix(), (*places)[static_cast<size_t>(place)],
                        y.matrix().columns_at(place * columns, columns));
  }
  return x.tape().make_result(y, {x}, [&backend, places, pixels, columns](const Gradients& g) {
    const Tensor d_table = Tensor::zeros({pixels + 1, columns}, g.result().type);
    for (int64_t place = 0; place < kPlaces; ++place) {
      backend.scatter_add_rows(g.result().columns_at(place * columns, columns),
                               (*places)[static_cast<size_t>(place)], d_table.matrix());
    }
    backend.copy(d_table.matrix().rows_at(0, pixels), g.input(0), true);
  });
}

}  // namespace

ImageBlock::ImageBlock(ParameterSet& set, const std::string& name, const ImageBlockShape& shape)
    : shape_(shape),
      weight_(set.add(name + ".weight", Tensor::zeros({shape.filters, kPlaces * shape.input}, shape.type))),
      bias_(set.add(name + ".bias", Tensor::zeros({shape.filters}, shape.type))) {}

void ImageBlock::initialize(const Stream& stream) {
  const double bound = std::sqrt(6 / static_cast<double>(kPlaces * shape_.input));
  initialize_uniform(weight_.value, -bound, bound, stream);
  bias_.value.fill(0);
}

Variable ImageBlock::forward(const Variable& x, const PatchGrid& grid, Precision precision) const {
  if (x.matrix().rows != grid.rows * grid.columns * grid.images || x.matrix().columns != shape_.input ||
      grid.rows < 2 || grid.columns < 2) {
    throw_error<ShapeError>("image block: x must be [{}*{}*{}, {}] of 2x2 pixels at least, got {}", grid.rows,
                            grid.columns, grid.images, shape_.input, to_string(x.shape()));
  }
  const PatchGrid out = result(grid);
  const std::vector<int64_t> squares(static_cast<size_t>(out.rows * out.columns * out.images), 4);
  const Variable y =
      linear(windows_of(x, grid), x.tape().parameter(weight_), x.tape().parameter(bias_), precision);
  // The greatest first: relu rises, so that it gives the same, of a quarter as many.
  return activate(Activation::kRelu, pool(Pool::kMax, y, Packing(squares)));
}

}  // namespace rondo
