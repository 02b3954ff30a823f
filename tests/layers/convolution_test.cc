#include "layers/convolution.h"

#include "layers/embedding.h"
#include "layers/exact_gradients.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

constexpr int32_t kEdge = 3;

/// y[t] = b + sum of W_o x[t + o], written out.
double expected(const Tensor& weight, const Tensor& bias, const Tensor& table,
                const std::vector<int32_t>& ids, int64_t t, int64_t filter) {
  const int64_t window = weight.dim(1) / table.dim(1), length = std::ssize(ids);
  double y = bias.at(filter);
  for (int64_t w = 0; w < window; ++w) {
    const int64_t at = t + w - window / 2;
    const int32_t id = at >= 0 && at < length ? ids[static_cast<size_t>(at)] : kEdge;
    for (int64_t d = 0; d < table.dim(1); ++d) {
      y += weight.at(filter * weight.dim(1) + w * table.dim(1) + d) * table.at(id * table.dim(1) + d);
    }
  }
  return y;
}

struct Filters {
  ParameterSet set;
  Embedding embedding;
  Convolution convolution;

  explicit Filters(int64_t window, DType type = DType::kFloat32)
      : embedding(set, {.vocabulary = 4, .dimension = 2, .type = type}),
        convolution(set, {.input = 2, .filters = 3, .window = window, .type = type}) {
    randomize(set, 7);
  }
  Variable forward(Tape& tape, std::vector<int32_t> ids, const Packing& packing) const {
    ids.push_back(kEdge);
    return convolution.forward(embedding.forward(tape, ids), packing);
  }
};

TEST(Convolution, OfSequencesWithoutStepsIsEmpty) {
  Filters filters(3);
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const Variable y = filters.forward(tape, {}, Packing(std::vector<int64_t>{0, 0}));
  EXPECT_EQ(y.shape(), (Shape{0, 3}));
}

TEST(Convolution, SeesTheWindowAndTheEdgesOfEachSequence) {
  for (const int64_t window : {1, 3, 5}) {
    Filters filters(window);
    const auto backend = open_device("cpu", 1);
    Tape tape(*backend);
    const Packing packing(std::vector<int64_t>{3, 0, 1});
    const Variable y = filters.forward(tape, {0, 2, 1, 0}, packing);  // 0 1 0 and 2, by steps
    ASSERT_EQ(y.shape(), (Shape{4, 3}));
    const Tensor &weight = filters.set.find("conv.weight").value, &bias = filters.set.find("conv.bias").value;
    const Tensor& table = filters.embedding.table().value;
    for (int64_t f = 0; f < 3; ++f) {
      for (int64_t t = 0; t < 3; ++t) {
        EXPECT_NEAR(y.value().at(packing.rows().row(t, 0) * 3 + f),
                    expected(weight, bias, table, {0, 1, 0}, t, f), 1e-5);
      }
      EXPECT_NEAR(y.value().at(1 * 3 + f), expected(weight, bias, table, {2}, 0, f), 1e-5);
    }
  }
}

TEST(Convolution, HasExactGradients) {
  Filters filters(3, DType::kComplex128);
  const Packing packing(std::vector<int64_t>{3, 1});
  expect_exact_gradients(filters.set, [&](Tape& tape) {
    const Variable y = activate(Activation::kTanh, filters.forward(tape, {0, 2, 1, 0}, packing));
    const Tensor weights = random_values({1, y.value().size()}, 3, DType::kComplex128);
    return weighted_sum(y, weights);
  });
}

TEST(Convolution, OtherShapesAreRefused) {
  ParameterSet set;
  EXPECT_THROW(Convolution(set, {.input = 2, .filters = 3, .window = 4}), ConfigError);
  const Filters filters(3);
  const auto backend = open_device("reference", 1);
  Tape tape(*backend);
  EXPECT_THROW(filters.forward(tape, {0, 1}, Packing(std::vector<int64_t>{3})), ShapeError);
}

}  // namespace
}  // namespace rondo
