#include "training/arithmetic.h"

#include <gtest/gtest.h>

#include "tensor/device.h"

namespace rondo {
namespace {

ClassifierOptions options_of(const RecurrentOptions& recurrent, PoolKind pool = PoolKind::kFinal) {
  return {.embedding = 10, .recurrent = recurrent, .pool = pool};
}

TEST(Arithmetic, CountsTwoOperationsAWeightAndToken) {
  // One direction: 4 gates of 8 units, each from 10 inputs and 8 states.
  const Arithmetic lstm = arithmetic_of(options_of({.hidden = 8}), 3);
  EXPECT_EQ(lstm.per_token, 2 * 4 * 8 * (10 + 8));
  EXPECT_EQ(lstm.per_text, 2 * 8 * 3);
  EXPECT_EQ(lstm.forward(5, 2), 5 * lstm.per_token + 2 * lstm.per_text);
  // Two layers of two directions; the second reads both of the first.
  const Arithmetic gru =
      arithmetic_of(options_of({.cell = Cell::kGru, .hidden = 8, .layers = 2, .bidirectional = true}), 3);
  EXPECT_EQ(gru.per_token, 2 * 2 * 3 * 8 * (10 + 8) + 2 * 2 * 3 * 8 * (16 + 8));
  const Arithmetic narrowing = arithmetic_of(options_of({.hidden = 8, .layers = 2, .last_hidden = 5}), 3);
  EXPECT_EQ(narrowing.per_token, 2 * 4 * 8 * (10 + 8) + 2 * 4 * 5 * (8 + 5));
  EXPECT_EQ(narrowing.per_text, 2 * 5 * 3);
  const Arithmetic projected = arithmetic_of(options_of({.hidden = 8, .projection = 4}), 3);
  EXPECT_EQ(projected.per_token, 2 * (4 * 8 * (10 + 4) + 4 * 8));
  // A grid: the projection to h and m, and in each layer two dimensions of 4 gates over both states.
  const Arithmetic grid = arithmetic_of(
      options_of({.cell = Cell::kGrid, .hidden = 8, .layers = 3, .grid = {.tied_layers = true}}), 3);
  EXPECT_EQ(grid.per_token, 2 * 16 * 10 + 3 * 2 * (2 * 4 * 8) * (2 * 8));
  EXPECT_EQ(grid.per_text, 2 * 16 * 3);
}

TEST(Arithmetic, TrainingIsThreeForwardPassesButForFrozenEmbeddings) {
  const Arithmetic cost = arithmetic_of(options_of({.hidden = 8}), 3);
  EXPECT_EQ(cost.training(5, 2, false), 3 * cost.forward(5, 2));
  EXPECT_EQ(cost.training(5, 2, true), 3 * cost.forward(5, 2) - 5 * 2 * 4 * 8 * 10);
}

TEST(Arithmetic, PoolingCounts) {
  const RecurrentOptions recurrent{.hidden = 8};
  const Arithmetic plain = arithmetic_of(options_of(recurrent), 3);
  EXPECT_EQ(arithmetic_of(options_of(recurrent, PoolKind::kConcat), 3).per_text, 3 * plain.per_text);
  EXPECT_EQ(arithmetic_of(options_of(recurrent, PoolKind::kAttention), 3).per_token - plain.per_token,
            2 * 8 * (8 + 1));
}

TEST(Arithmetic, ATaggersScoresChainAndCharactersCount) {
  TaggerOptions options{.embedding = 10, .characters = CharacterPart::kNone};
  options.recurrent = {.hidden = 8, .bidirectional = true};
  const double stack = 2 * 2 * 4 * 8 * (10 + 8);
  const Arithmetic crf = arithmetic_of(options, 3);
  EXPECT_EQ(crf.per_token, stack + 2 * 16 * 3 + 2 * 3 * 3);
  EXPECT_EQ(crf.per_character, 0);
  EXPECT_EQ(crf.training(5, 2, true), 3 * 5 * crf.per_token - 5 * 2 * 2 * 4 * 8 * 10);
  options.output = TaggerOutput::kSoftmax;
  options.tanh = 6;
  EXPECT_EQ(arithmetic_of(options, 3).per_token, stack + 2 * 16 * 6 + 2 * 6 * 3);
  options.characters = CharacterPart::kLstm;
  options.character_embedding = 7;
  options.character_units = 5;
  const Arithmetic characters = arithmetic_of(options, 3);
  EXPECT_EQ(characters.per_token, 2 * 2 * 4 * 8 * (20 + 8) + 2 * 16 * 6 + 2 * 6 * 3);
  EXPECT_EQ(characters.per_character, 2 * 2 * 4 * 5 * (7 + 5));
  EXPECT_EQ(characters.training(5, 2, false, 30),
            3 * (5 * characters.per_token + 30 * characters.per_character));
  EXPECT_EQ(characters.training(5, 2, true), characters.training(5, 2, false));  // the characters still learn
}

TEST(Arithmetic, PeakIsOfAPlausibleProcessor) {
  const double peak = measured_peak(*open_device("cpu", 1));
  EXPECT_GT(peak, 1e8);
  EXPECT_LT(peak, 1e13);
}

}  // namespace
}  // namespace rondo
