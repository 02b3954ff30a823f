// The table of vectors: gradients by row and of the whole.
#include "layers/embedding.h"

#include "exact_gradients.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

const std::vector<int32_t> kFirst = {3, 1, 3, 4}, kSecond = {0, 3, 6, 6};

struct Table {
  ParameterSet set;
  Embedding embedding;
  Table(DType type, bool sparse)
      : embedding(set, {.vocabulary = 7, .dimension = 3, .type = type, .sparse = sparse}) {
    randomize(set, 4);
  }
  Variable loss(Tape& tape, const std::vector<int32_t>& ids, double dropout) const {
    const Variable x = gather(embedding.forward(tape, ids, dropout));
    return weighted_sum(activate(Activation::kTanh, x), random_values({12}, 8, x.value().type()));
  }
};

TEST(Embedding, GradientsByRowAndOfTheWholeAreExact) {
  for (const bool sparse : {true, false}) {
    for (const double dropout : {0.0, 0.4}) {
      Table table(DType::kComplex128, sparse);
      expect_exact_gradients(table.set, [&](Tape& tape) { return table.loss(tape, kFirst, dropout); });
    }
  }
}

TEST(Embedding, ReadTwiceInOnePassAddsBothGradients) {
  for (const bool sparse : {true, false}) {
    Table table(DType::kComplex128, sparse);
    expect_exact_gradients(table.set, [&](Tape& tape) {
      return add(table.loss(tape, kFirst, 0.4), table.loss(tape, kSecond, 0.4));
    });
    const std::vector<int32_t> read = {0, 1, 3, 4, 6};
    EXPECT_EQ(table.embedding.table().row_gradient.rows, sparse ? read : std::vector<int32_t>());
  }
}

TEST(Embedding, TwoBackwardPassesAddTheirGradients) {
  const auto backend = open_device("cpu", 1);
  Table by_row(DType::kFloat32, true), whole(DType::kFloat32, false);
  for (const Table* table : {&by_row, &whole}) {
    for (const std::vector<int32_t>& ids : {kFirst, kSecond, kFirst}) {
      Tape tape(*backend, {.recording = true});
      tape.backward(table->loss(tape, ids, 0));
    }
  }
  Parameter &rows = by_row.embedding.table(), &dense = whole.embedding.table();
  EXPECT_FALSE(rows.gradient);
  EXPECT_FALSE(dense.row_gradient.values);
  for (int64_t e = 0; e < dense.value.size(); ++e) {
    EXPECT_NEAR(gradient_at(rows, e), dense.gradient.at(e), 1e-6) << e;
  }
  EXPECT_NE(dense.gradient.at(3 * 3), 0);
  by_row.set.clear_gradients();
  EXPECT_TRUE(rows.row_gradient.rows.empty());
}

TEST(Embedding, BothKindsDropTheSameWordTypes) {
  const auto backend = open_device("cpu", 1);
  const Table by_row(DType::kFloat32, true), whole(DType::kFloat32, false);
  Tape a(*backend, {.training = true, .random = Stream(2)}),
      b(*backend, {.training = true, .random = Stream(2)});
  const float one = by_row.loss(a, kFirst, 0.5).value().data<float>()[0];
  EXPECT_EQ(one, whole.loss(b, kFirst, 0.5).value().data<float>()[0]);
}

TEST(Embedding, AFrozenTableHasNoGradient) {
  const auto backend = open_device("cpu", 1);
  Table table(DType::kFloat32, false);
  Parameter& weight = table.embedding.table();
  weight.trainable = false;
  Tape tape(*backend, {.recording = true});
  EXPECT_FALSE(table.loss(tape, kFirst, 0).needs_gradient());
}

}  // namespace
}  // namespace rondo
