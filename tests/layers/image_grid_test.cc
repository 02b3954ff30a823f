#include "layers/image_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "exact_gradients.h"
#include "grid_oracle.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

constexpr int64_t kInput = 3, kHidden = 4;

struct ImageCase {
  const char* name;
  GridShape shape;
  PatchGrid patches;
  bool corners = true;
};

GridShape shape_of(GridShape shape) {
  shape.input = kInput;
  shape.hidden = kHidden;
  return shape;
}

constexpr Along kL = Along::kLstm;

const std::vector<ImageCase>& image_cases() {
  static const std::vector<ImageCase> cases = {
      {"plain", shape_of({.layers = 2, .along = {kL, kL, kL}}), {3, 2, 2}},
      {"four_corners_tied", shape_of({.layers = 4, .along = {kL, kL, kL}, .tied_layers = true}), {2, 3, 2}},
      {"one_corner", shape_of({.layers = 2, .along = {kL, kL, kL}}), {2, 2, 3}, false},
      {"no_priority", shape_of({.layers = 2, .along = {kL, kL, kL}, .priority = -1}), {3, 3, 1}},
      {"columns_last", shape_of({.layers = 2, .along = {kL, kL, kL}, .priority = 2}), {3, 2, 1}},
      {"relu_depth", shape_of({.layers = 2, .along = {Along::kRelu, kL, kL}}), {2, 3, 2}},
      {"plain_rows", shape_of({.layers = 2, .along = {kL, Along::kTanh, Along::kIdentity}}), {2, 2, 2}},
      {"gate_outside", shape_of({.along = {kL, kL, kL}, .output_gate = OutputGate::kOutside}), {1, 4, 2}},
      {"one_patch", shape_of({.layers = 2, .along = {kL, kL, kL}}), {1, 1, 3}},
  };
  return cases;
}

struct Net {
  ParameterSet set;
  ImageGrid grid;
  explicit Net(const ImageCase& c, DType type = DType::kFloat32)
      : grid(set, typed(c.shape, type), c.corners) {
    if (type == DType::kFloat32) grid.initialize(Initialization::kTorch, 0.5, Stream(1));
  }
  static GridShape typed(GridShape shape, DType type) {
    shape.type = type;
    return shape;
  }
};

int64_t rows_of(const PatchGrid& p) { return p.rows * p.columns * p.images; }

// The states that leave the top for every patch of one image, computed patch by patch.
std::vector<Numbers> oracle_patches(const Net& net, const ImageCase& c, const Tensor& x, int64_t image) {
  const GridOracle oracle(net.set, net.grid.shape());
  const auto at = [&](int64_t r, int64_t col) { return static_cast<size_t>(r * c.patches.columns + col); };
  const auto count = static_cast<size_t>(c.patches.rows * c.patches.columns);
  std::vector<Numbers> h(count), m(count);
  for (size_t p = 0; p < count; ++p) {
    Numbers patch;
    for (int64_t k = 0; k < kInput; ++k) {
      patch.push_back(x.at((static_cast<int64_t>(p) * c.patches.images + image) * kInput + k));
    }
    if (net.grid.shape().along[0] == Along::kLstm) {
      std::tie(h[p], m[p]) = oracle.project(patch);
    } else {
      h[p] = oracle.project(patch).first;
      m[p] = Numbers(kHidden);
    }
  }
  for (int64_t layer = 0; layer < net.grid.shape().layers; ++layer) {
    const int64_t corner = c.corners ? layer % 4 : 0;  // top left, top right, bottom right, bottom left
    const bool down = corner < 2, right = corner == 0 || corner == 3;
    std::vector<OracleBlock> done(count);
    for (int64_t i = 0; i < c.patches.rows; ++i) {
      for (int64_t j = 0; j < c.patches.columns; ++j) {
        const int64_t r = down ? i : c.patches.rows - 1 - i, col = right ? j : c.patches.columns - 1 - j;
        OracleBlock in{.h = {h[at(r, col)], Numbers(kHidden), Numbers(kHidden)},
                       .m = {m[at(r, col)], Numbers(kHidden), Numbers(kHidden)}};
        if (i > 0) {
          const OracleBlock& above = done[at(down ? r - 1 : r + 1, col)];
          in.h[1] = above.h[1], in.m[1] = above.m[1];
        }
        if (j > 0) {
          const OracleBlock& beside = done[at(r, right ? col - 1 : col + 1)];
          in.h[2] = beside.h[2], in.m[2] = beside.m[2];
        }
        done[at(r, col)] = oracle.block(layer, in);
      }
    }
    for (size_t p = 0; p < count; ++p) h[p] = done[p].h[0], m[p] = done[p].m[0];
  }
  if (net.grid.shape().along[0] == Along::kLstm) {
    for (size_t p = 0; p < count; ++p) h[p].insert(h[p].end(), m[p].begin(), m[p].end());
  }
  return h;
}

class ImageGrids : public testing::TestWithParam<ImageCase> {};

TEST_P(ImageGrids, FollowThePaperPatchByPatch) {
  const ImageCase& c = GetParam();
  const Net net(c);
  const Tensor x = random_values({rows_of(c.patches), kInput}, 2);
  for (const char* name : {"reference", "cpu"}) {
    const auto backend = open_device(name, 2);
    Tape tape(*backend);
    const Tensor y = net.grid.forward(tape, tape.input(x), c.patches).value();
    for (int64_t image = 0; image < c.patches.images; ++image) {
      const std::vector<Numbers> expected = oracle_patches(net, c, x, image);
      for (size_t p = 0; p < expected.size(); ++p) {
        ASSERT_EQ(y.dim(1), static_cast<int64_t>(expected[p].size()));
        for (int64_t j = 0; j < y.dim(1); ++j) {
          EXPECT_NEAR(y.at((static_cast<int64_t>(p) * c.patches.images + image) * y.dim(1) + j),
                      expected[p][static_cast<size_t>(j)], 2e-6)
              << name << " patch " << p << " column " << j;
        }
      }
    }
  }
}

TEST_P(ImageGrids, HaveExactGradients) {
  ImageCase c = GetParam();
  c.shape.hidden = 2;
  Net net(c, DType::kComplex128);
  randomize(net.set, 7);
  const Tensor x = random_values({rows_of(c.patches), kInput}, 3, DType::kComplex128);
  expect_exact_gradients(net.set, [&](Tape& tape) {
    const Variable y =
        patches_side_by_side(net.grid.forward(tape, tape.input(x), c.patches), c.patches.images);
    Variable total;
    for (int64_t n = 0; n < c.patches.images; ++n) {
      const Variable row = slice(y, {.first_row = n, .rows = 1});
      const Tensor weights = random_values(row.shape(), 50 + static_cast<uint64_t>(n), DType::kComplex128);
      total = total ? add(total, weighted_sum(row, weights)) : weighted_sum(row, weights);
    }
    return total;
  });
}

TEST_P(ImageGrids, DoNotDependOnThreadsNorOnTheOtherImages) {
  const ImageCase& c = GetParam();
  const Net net(c);
  const Tensor x = random_values({rows_of(c.patches), kInput}, 2);
  const auto one = open_device("cpu", 1), three = open_device("cpu", 3);
  Tape tape(*one), other(*three);
  const Tensor y = net.grid.forward(tape, tape.input(x), c.patches).value();
  const Tensor again = net.grid.forward(other, other.input(x), c.patches).value();
  EXPECT_EQ(std::memcmp(y.raw(), again.raw(), static_cast<size_t>(y.bytes())), 0);
  const int64_t patches = c.patches.rows * c.patches.columns, image = c.patches.images - 1;
  Tensor last({patches, kInput});
  for (int64_t p = 0; p < patches; ++p) {
    std::memcpy(last.data<float>() + p * kInput, x.data<float>() + (p * c.patches.images + image) * kInput,
                kInput * sizeof(float));
  }
  const Tensor alone =
      net.grid.forward(tape, tape.input(last), {c.patches.rows, c.patches.columns, 1}).value();
  for (int64_t p = 0; p < patches; ++p) {
    EXPECT_EQ(std::memcmp(alone.data<float>() + p * y.dim(1),
                          y.data<float>() + (p * c.patches.images + image) * y.dim(1),
                          static_cast<size_t>(y.dim(1)) * sizeof(float)),
              0)
        << "patch " << p;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ImageGrids, testing::ValuesIn(image_cases()),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(ImageGrid, PatchesStandSideBySideInTheirOrder) {
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const Tensor y = random_values({6, 2}, 1);  // three patches of two images
  const Tensor flat = patches_side_by_side(tape.input(y), 2).value();
  ASSERT_EQ(flat.shape(), (Shape{2, 6}));
  EXPECT_EQ(flat.at(0), y.at(0));
  EXPECT_EQ(flat.at(2), y.at(4));       // patch 1 of image 0
  EXPECT_EQ(flat.at(6 + 5), y.at(11));  // patch 2 of image 1
}

TEST(ImageGrid, WantsThreeDimensionsAndAllPatches) {
  ParameterSet set;
  EXPECT_THROW(ImageGrid(set, shape_of({.along = {kL, kL}})), ConfigError);
  ParameterSet four;
  EXPECT_THROW(ImageGrid(four, shape_of({.along = {kL, kL, kL, kL}})), ConfigError);
  const Net net(image_cases().front());
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  EXPECT_THROW(net.grid.forward(tape, tape.input(random_values({11, kInput}, 1)), {3, 2, 2}), ShapeError);
  EXPECT_THROW(net.grid.forward(tape, tape.input(random_values({12, 2}, 1)), {3, 2, 2}), ShapeError);
}

TEST(GridLayout, StagesOfAnImageAreItsDiagonals) {
  const GridLayout layout = image_layout({.rows = 2, .columns = 3, .images = 1}, Corner::kTopRight);
  EXPECT_EQ(layout.offsets, (std::vector<int64_t>{0, 1, 3, 5, 6}));
  EXPECT_EQ(layout.order, (std::vector<int32_t>{2, 1, 5, 0, 4, 3}));
  EXPECT_EQ(layout.before[0], (std::vector<int32_t>{-1, -1, 0, -1, 0, 0}));
  EXPECT_EQ(layout.before[1], (std::vector<int32_t>{-1, 0, -1, 0, 1, 1}));
}

TEST(GridLayout, StagesOfSequencesAreTheirSteps) {
  const Packing packing(std::vector<int64_t>{1, 3});  // rows: 0 1 | 2 | 3
  const GridLayout forwards = sequence_layout(packing, false);
  EXPECT_EQ(forwards.order, (std::vector<int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(forwards.before[0], (std::vector<int32_t>{-1, -2, 0, 0}));
  const GridLayout backwards = sequence_layout(packing, true);
  EXPECT_EQ(backwards.offsets, (std::vector<int64_t>{0, 1, 2, 4}));
  EXPECT_EQ(backwards.order, (std::vector<int32_t>{3, 2, 0, 1}));
  EXPECT_EQ(backwards.before[0], (std::vector<int32_t>{-1, 0, 0, -2}));
}

}  // namespace
}  // namespace rondo
