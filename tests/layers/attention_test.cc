#include "layers/attention.h"

#include "exact_gradients.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

struct Source {
  Packing packing{std::vector<int64_t>{2, 4, 0}};  // packed: 4, 2, 0
  Tensor rows = random_values({6, 3}, 1);
  std::vector<int32_t> sources = {1, 0, 0, 2, 1};
};

TEST(Attention, EveryScoreGivesContextsAndWeightsOfTheDocumentedShapes) {
  const auto backend = open_device("cpu", 1);
  const Source source;
  for (const AttentionScore score :
       {AttentionScore::kDot, AttentionScore::kGeneral, AttentionScore::kAdditive}) {
    for (const double window : {0.0, 2.0}) {
      const int64_t query = score == AttentionScore::kDot ? 3 : 5;
      ParameterSet set;
      Attention attention(set, {.score = score, .query = query, .memory = 3, .size = 4, .window = window});
      attention.initialize(Initialization::kTorch, Stream(2));
      Tape tape(*backend);
      const AttentionKeys keys = attention.keys(tape.input(source.rows), source.packing);
      const AttentionResult seen =
          attention.forward(tape.input(random_values({5, query}, 3)), keys, source.sources);
      EXPECT_EQ(seen.contexts.shape(), (Shape{5, 3}));
      ASSERT_EQ(seen.weights.shape(), (Shape{5, 4}));
      for (const int64_t q : {0, 4}) {  // of the source with two rows
        EXPECT_GT(seen.weights.value().at(q * 4 + 1), 0);
        EXPECT_EQ(seen.weights.value().at(q * 4 + 2), 0);
        EXPECT_EQ(seen.weights.value().at(q * 4 + 3), 0);
      }
      for (int64_t c = 0; c < 3; ++c) EXPECT_EQ(seen.contexts.value().at(3 * 3 + c), 0);  // of the empty one
    }
  }
}

TEST(Attention, GradientsReachItsParametersAndItsMemory) {
  const Source source;
  for (const AttentionScore score : {AttentionScore::kGeneral, AttentionScore::kAdditive}) {
    ParameterSet set;
    Attention attention(
        set, {.score = score, .query = 5, .memory = 3, .size = 4, .window = 3, .type = DType::kComplex128});
    Parameter& memory = set.add("memory", Tensor::zeros({6, 3}, DType::kComplex128));
    Parameter& queries = set.add("queries", Tensor::zeros({5, 5}, DType::kComplex128));
    randomize(set, 7);
    const Tensor weights = random_values({15}, 4, DType::kComplex128);
    expect_exact_gradients(set, [&](Tape& tape) {
      const AttentionKeys keys = attention.keys(tape.parameter(memory), source.packing);
      const Variable seen = attention.forward(tape.parameter(queries), keys, source.sources).contexts;
      return weighted_sum(seen, weights);
    });
  }
}

TEST(Attention, ShapesThatDoNotFitAreErrors) {
  const auto backend = open_device("cpu", 1);
  ParameterSet set;
  EXPECT_THROW(Attention(set, {.score = AttentionScore::kDot, .query = 4, .memory = 3}), ConfigError);
  const Attention attention(set, {.query = 5, .memory = 3});
  const Source source;
  Tape tape(*backend);
  EXPECT_THROW(attention.keys(tape.input(random_values({5, 3}, 1)), source.packing), ShapeError);
  EXPECT_THROW(attention.keys(tape.input(random_values({6, 4}, 1)), source.packing), ShapeError);
  const AttentionKeys keys = attention.keys(tape.input(source.rows), source.packing);
  EXPECT_THROW(attention.forward(tape.input(random_values({5, 4}, 3)), keys, source.sources), ShapeError);
  EXPECT_THROW(attention.forward(tape.input(random_values({4, 5}, 3)), keys, source.sources), ShapeError);
}

}  // namespace
}  // namespace rondo
