#include "training/language_model_evaluation.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tensor/device.h"

namespace rondo {
namespace {

TokenStream random_stream(const std::vector<int64_t>& lengths) {
  TokenStream stream;
  for (const int64_t length : lengths) {
    for (int64_t t = 0; t < length; ++t) {
      stream.ids.push_back(static_cast<int32_t>(1 + Stream(2).below(stream.ids.size(), 10)));
    }
    stream.first_inputs.push_back(1);
    stream.offsets.push_back(stream.size());
  }
  stream.characters = stream.size();
  return stream;
}

TEST(LanguageEvaluation, IsTheSameBitsForAnyBatchChunkAndThreads) {
  LanguageNetwork model({.embedding = 5, .recurrent = {.hidden = 12, .layers = 2}}, 11);
  model.initialize(Stream(3));
  const TokenStream stream = random_stream({40, 3, 0, 1, 90, 17});
  const auto one = open_device("cpu", 1), two = open_device("cpu", 2);
  const std::vector<float> whole = token_losses(model, *one, stream, 1 << 20);
  ASSERT_EQ(whole.size(), 151U);
  for (const int64_t rows : {1, 2, 7, 64, 500}) {
    EXPECT_EQ(token_losses(model, *one, stream, rows), whole) << rows;
    EXPECT_EQ(token_losses(model, *two, stream, rows), whole) << rows;
  }
  model.prepare(*one, Precision::kFloat32, 1 << 20);
  EXPECT_EQ(token_losses(model, *one, stream, 33), whole);
}

TEST(LanguageEvaluation, FiguresFollowFromTheLosses) {
  LanguageNetwork model({.embedding = 5, .recurrent = {.hidden = 12}}, 11);
  for (Parameter& parameter : model.parameters().all()) parameter.value.fill(0);
  TokenStream stream = random_stream({20, 5});
  stream.characters = 50;
  const auto backend = open_device("cpu", 1);
  const LanguageEvaluation result = evaluate_language_model(model, *backend, stream);
  EXPECT_NEAR(result.loss(), std::log(11.0), 1e-6);  // every token as probable as any other
  EXPECT_NEAR(result.perplexity(), 11, 1e-4);
  EXPECT_NEAR(result.bits_per_character(), std::log2(11.0) / 2, 1e-6);
  EXPECT_EQ(result.tokens, 25);
  EXPECT_EQ(result.pieces, 2);
}

}  // namespace
}  // namespace rondo
