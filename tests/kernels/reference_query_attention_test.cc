// Attention over packed rows: exact gradients, and what must hold whatever the numbers are.
#include "attention_cases.h"
#include "gradients.h"
#include "kernels/reference/reference_backend.h"
#include "rondo/errors.h"

namespace rondo {
namespace {

TEST(ReferenceQueryAttention, GradientsAreExact) {
  ReferenceBackend backend;
  for (AttentionCase shape : attention_cases()) {
    if (shape.queries > 20) continue;  // a forward pass an element
    SCOPED_TRACE(testing::PrintToString(shape));
    AttentionOperandsOf<double> real(shape, 3);
    AttentionOperandsOf<Complex> twin(shape, 3);
    backend.attention_forward(real.forward());
    backend.attention_backward(real.backward());
    const auto loss = [&] {
      backend.attention_forward(twin.forward());
      return weighted_sum(twin.contexts, real.d_contexts) + weighted_sum(twin.weights, real.d_weights);
    };
    expect_gradient("queries", twin.queries, real.d_queries, loss);
    expect_gradient("keys", twin.keys, real.d_keys, loss);
    expect_gradient("values", twin.values, real.d_values, loss);
    expect_gradient("v", twin.v, real.d_v, loss);
    expect_gradient("centers", twin.centers, real.d_centers, loss);
    EXPECT_TRUE(real.weights.padding_untouched() && real.d_keys.padding_untouched() &&
                real.contexts.padding_untouched());
  }
}

TEST(ReferenceQueryAttention, WeightsSumToOneAndAreZeroBehindTheEnd) {
  ReferenceBackend backend;
  for (const Score score : {Score::kDot, Score::kAdditive}) {
    AttentionOperandsOf<double> a({.score = score}, 3);
    backend.attention_forward(a.forward());
    for (int64_t q = 0; q < a.shape.queries; ++q) {
      const int64_t length = a.packing.length(a.sources[static_cast<size_t>(q)]);
      double sum = 0;
      for (int64_t s = 0; s < a.weights.columns; ++s) {
        if (s >= length) {
          EXPECT_EQ(a.weights(q, s), 0);
        }
        sum += a.weights(q, s);
      }
      EXPECT_NEAR(sum, length > 0 ? 1 : 0, 1e-15);
      for (int64_t c = 0; length == 0 && c < a.contexts.columns; ++c) EXPECT_EQ(a.contexts(q, c), 0);
    }
  }
}

// By hand: two rows with the scores log 1 and log 3.
TEST(ReferenceQueryAttention, DotIsTheSoftmaxOfInnerProducts) {
  AttentionOperandsOf<double> a({.lengths = {2}, .queries = 1, .size = 1, .columns = 1}, 1);
  a.queries(0, 0) = std::log(3.0);
  a.keys(0, 0) = 0;
  a.keys(1, 0) = 1;
  a.values(0, 0) = 10;
  a.values(1, 0) = 20;
  ReferenceBackend().attention_forward(a.forward());
  EXPECT_NEAR(a.weights(0, 0), 0.25, 1e-15);
  EXPECT_NEAR(a.weights(0, 1), 0.75, 1e-15);
  EXPECT_NEAR(a.contexts(0, 0), 17.5, 1e-13);
}

// Source rows in another order: the same weights in that order, the same context.
TEST(ReferenceQueryAttention, APermutationOfTheRowsPermutesTheWeights) {
  ReferenceBackend backend;
  for (const Score score : {Score::kDot, Score::kAdditive}) {
    const AttentionCase shape{.score = score, .lengths = {5}, .queries = 3};
    AttentionOperandsOf<double> a(shape, 3), b(shape, 3);
    const int64_t order[] = {3, 0, 4, 1, 2};
    for (int64_t r = 0; r < 5; ++r) {
      for (int64_t c = 0; c < shape.size; ++c) b.keys(r, c) = a.keys(order[r], c);
      for (int64_t c = 0; c < shape.columns; ++c) b.values(r, c) = a.values(order[r], c);
    }
    backend.attention_forward(a.forward());
    backend.attention_forward(b.forward());
    for (int64_t q = 0; q < 3; ++q) {
      for (int64_t r = 0; r < 5; ++r) EXPECT_NEAR(b.weights(q, r), a.weights(q, order[r]), 1e-15);
      for (int64_t c = 0; c < shape.columns; ++c) EXPECT_NEAR(b.contexts(q, c), a.contexts(q, c), 1e-14);
    }
  }
}

// A constant added to all scores of a query: a column of ones in the keys, the constant in the query.
TEST(ReferenceQueryAttention, AConstantShiftOfTheScoresChangesNothing) {
  ReferenceBackend backend;
  AttentionOperandsOf<double> a({.size = 4}, 3);
  for (int64_t r = 0; r < a.keys.rows; ++r) a.keys(r, 3) = 1;
  backend.attention_forward(a.forward());
  const Array<double> before = a.weights;
  for (int64_t q = 0; q < a.queries.rows; ++q) a.queries(q, 3) += 700;  // exp of it is infinite in float
  backend.attention_forward(a.forward());
  for (int64_t q = 0; q < a.queries.rows; ++q) {
    for (int64_t s = 0; s < a.weights.columns; ++s) EXPECT_NEAR(a.weights(q, s), before(q, s), 1e-12);
  }
}

TEST(ReferenceQueryAttention, AWindowWithoutEndIsNoWindow) {
  ReferenceBackend backend;
  AttentionOperandsOf<double> global({}, 3), local({.window = true}, 3);
  backend.attention_forward(global.forward());
  AttentionForward pass = local.forward();
  pass.in.deviation = 1e12;
  backend.attention_forward(pass);
  EXPECT_EQ(local.weights.values, global.weights.values);
  EXPECT_EQ(local.contexts.values, global.contexts.values);
}

TEST(ReferenceQueryAttention, TheWindowIsTheGaussianAboutItsCenter) {
  AttentionOperandsOf<double> a({.window = true, .lengths = {4}, .queries = 1}, 3);
  a.queries.fill(0);  // shares of a quarter
  a.centers(0, 0) = 0.5;
  ReferenceBackend().attention_forward(a.forward());
  for (int64_t s = 0; s < 4; ++s) {
    const double x = (static_cast<double>(s) - 2) / 1.5;
    EXPECT_NEAR(a.weights(0, s), 0.25 * std::exp(-x * x / 2), 1e-15);
  }
}

TEST(ReferenceQueryAttention, OperandsThatDoNotFitAreErrors) {
  ReferenceBackend backend;
  AttentionOperandsOf<double> a({}, 3);
  AttentionForward pass = a.forward();
  pass.in.keys.columns = 3;
  EXPECT_THROW(backend.attention_forward(pass), ShapeError);
  a.sources[0] = 4;
  EXPECT_THROW(backend.attention_forward(a.forward()), ShapeError);
  a.sources[0] = -1;
  EXPECT_THROW(backend.attention_backward(a.backward()), ShapeError);
}

}  // namespace
}  // namespace rondo
