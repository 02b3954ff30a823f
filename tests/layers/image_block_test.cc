#include "layers/image_block.h"

#include <cstring>

#include "exact_gradients.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

// Pixel (y, x) of picture n, or zero outside.
double pixel(const Tensor& x, const PatchGrid& grid, int64_t r, int64_t c, int64_t n, int64_t d) {
  if (r < 0 || c < 0 || r >= grid.rows || c >= grid.columns) return 0;
  return x.at(((r * grid.columns + c) * grid.images + n) * x.dim(1) + d);
}

// By the formula, one number at a time.
double expected(const ParameterSet& set, const Tensor& x, const PatchGrid& grid, int64_t row,
                int64_t filter) {
  const Tensor &weight = set.all()[0].value, &bias = set.all()[1].value;
  const int64_t columns = grid.columns / 2, n = row % grid.images, place = row / grid.images;
  double most = 0;  // relu
  for (int64_t corner = 0; corner < 4; ++corner) {
    double sum = bias.at(filter);
    for (int64_t k = 0; k < 9; ++k) {
      for (int64_t d = 0; d < x.dim(1); ++d) {
        sum += weight.at((filter * 9 + k) * x.dim(1) + d) *
               pixel(x, grid, 2 * (place / columns) + corner / 2 + k / 3 - 1,
                     2 * (place % columns) + corner % 2 + k % 3 - 1, n, d);
      }
    }
    most = std::max(most, sum);
  }
  return most;
}

TEST(ImageBlock, EqualsItsFormula) {
  const auto backend = open_device("cpu", 2);
  for (const PatchGrid grid : {PatchGrid{4, 6, 2}, PatchGrid{5, 3, 1}, PatchGrid{2, 2, 3}}) {
    ParameterSet set;
    ImageBlock block(set, "0", {.input = 3, .filters = 5});
    randomize(set, 4);
    const Tensor x = random_values({grid.rows * grid.columns * grid.images, 3}, 8);
    Tape tape(*backend);
    const Tensor y = block.forward(tape.input(x), grid).value();
    ASSERT_EQ(y.shape(), (Shape{grid.rows / 2 * (grid.columns / 2) * grid.images, 5}));
    for (int64_t i = 0; i < y.size(); ++i) {
      EXPECT_NEAR(y.at(i), expected(set, x, grid, i / 5, i % 5), 1e-4) << i;
    }
  }
}

TEST(ImageBlock, TwoBlocksHaveExactGradients) {
  const PatchGrid grid{4, 5, 2};
  ParameterSet set;
  const ImageBlock first(set, "0", {.input = 2, .filters = 3, .type = DType::kComplex128});
  const ImageBlock second(set, "1", {.input = 3, .filters = 2, .type = DType::kComplex128});
  Parameter& x = set.add("pixels", Tensor::zeros({40, 2}, DType::kComplex128));
  randomize(set, 6);
  const Tensor weights = random_values({4}, 4, DType::kComplex128);
  expect_exact_gradients(set, [&](Tape& tape) {
    const Variable y = first.forward(tape.parameter(x), grid);
    return weighted_sum(second.forward(y, ImageBlock::result(grid)), weights);
  });
}

TEST(ImageBlock, APictureHasTheSameBitsAloneAndAmongOthers) {
  ParameterSet set;
  ImageBlock block(set, "0", {.input = 3, .filters = 16});
  block.initialize(Stream(3));
  const Tensor three = random_values({8 * 8 * 3, 3}, 8), one({8 * 8, 3});
  for (int64_t i = 0; i < 64; ++i) {
    std::memcpy(one.data<float>() + 3 * i, three.data<float>() + 3 * (3 * i + 1), 3 * sizeof(float));
  }
  const auto alone = open_device("cpu", 1), together = open_device("cpu", 3);
  Tape first(*alone), second(*together);
  const Tensor a = block.forward(first.input(one), {8, 8, 1}).value();
  const Tensor b = block.forward(second.input(three), {8, 8, 3}).value();
  for (int64_t i = 0; i < 16; ++i) {
    EXPECT_EQ(std::memcmp(a.data<float>() + 16 * i, b.data<float>() + 16 * (3 * i + 1), 16 * sizeof(float)),
              0);
  }
}

TEST(ImageBlock, ShapesThatDoNotFitAreErrors) {
  const auto backend = open_device("cpu", 1);
  ParameterSet set;
  const ImageBlock block(set, "0", {.input = 3, .filters = 2});
  Tape tape(*backend);
  EXPECT_THROW(block.forward(tape.input(random_values({16, 2}, 1)), {4, 4, 1}), ShapeError);
  EXPECT_THROW(block.forward(tape.input(random_values({15, 3}, 1)), {4, 4, 1}), ShapeError);
  EXPECT_THROW(block.forward(tape.input(random_values({4, 3}, 1)), {1, 4, 1}), ShapeError);
}

}  // namespace
}  // namespace rondo
