#include "models/language_network.h"

#include <cstring>

#include "layers/exact_gradients.h"
#include "rondo/errors.h"

namespace rondo {
namespace {

using testing::HasSubstr;

constexpr int64_t kVocabulary = 8;

LanguageModelOptions small(RecurrentOptions recurrent) {
  recurrent.hidden = 4;
  return {.embedding = 4, .recurrent = recurrent};
}

struct Rows {
  Packing packing{std::vector<int64_t>{4, 0, 2}};
  std::vector<int32_t> inputs = {1, 5, 2, 7, 3, 5};
  std::vector<int32_t> targets = {2, 7, 3, 0, 5, 1};
};

void expect_exact(const LanguageModelOptions& options, const char* what) {
  SCOPED_TRACE(what);
  LanguageNetwork network(options, kVocabulary);
  network.initialize(Stream(4));
  const auto exact = network.cast(DType::kComplex128);
  const Rows rows;
  if (options.one_hot()) {
    const Parameter& table = exact->embedding().table();
    EXPECT_FALSE(table.trainable);
    return;
  }
  expect_exact_gradients(exact->parameters(), [&](Tape& tape) {
    return exact->loss(exact->forward(tape, rows.inputs, rows.packing), rows.targets, 0.2);
  });
}

TEST(LanguageNetwork, EveryKindHasExactGradients) {
  for (const Cell cell : {Cell::kRnn, Cell::kLstm, Cell::kGru}) {
    expect_exact(small({.cell = cell, .layers = 2}), name_of(cell));
  }
  LanguageModelOptions dropped = small(
      {.layers = 2, .input_dropout = 0.3, .dropout = 0.3, .locked_dropout = true, .weight_dropout = 0.3});
  dropped.embedding_dropout = 0.2;
  dropped.output_dropout = 0.3;
  expect_exact(dropped, "all dropouts");
  expect_exact(small({.bidirectional = true}), "both directions");
  expect_exact(small({.cell = Cell::kGrid, .layers = 3, .grid = {.tied_layers = true}}), "grid");
  expect_exact(small({.cell = Cell::kGrid, .bidirectional = true}), "grid both directions");
  LanguageModelOptions tied = small({});
  tied.tied = true;
  tied.embedding_dropout = 0.3;
  expect_exact(tied, "tied");
  LanguageModelOptions adaptive = small({});
  adaptive.recurrent.hidden = 16;
  adaptive.adaptive = {"2", "5"};
  expect_exact(adaptive, "adaptive");
}

// A second direction that saw the token that it has to tell would reach a loss of zero.
TEST(LanguageNetwork, TheSecondDirectionTellsTheTokenBeforeWithoutSeeingIt) {
  LanguageNetwork network(small({.bidirectional = true}), kVocabulary);
  network.initialize(Stream(4));
  const auto backend = open_device("cpu", 1);
  const Packing packing(std::vector<int64_t>{3});
  const auto loss = [&](std::vector<int32_t> ids, std::vector<int32_t> targets) {
    Tape tape(*backend);
    return network.loss(network.forward(tape, ids, packing), std::move(targets), 1).value().at(0);
  };
  const auto forwards = [&](std::vector<int32_t> ids, std::vector<int32_t> targets) {
    Tape tape(*backend);
    const Tensor losses = network.losses(network.forward(tape, ids, packing), std::move(targets));
    return losses.at(0) + losses.at(1) + losses.at(2);
  };
  // Half of both: two tokens before, three after. The other direction alone is the difference.
  const double backwards = 2 * loss({1, 2, 3}, {2, 3, 4}) - forwards({1, 2, 3}, {2, 3, 4});
  EXPECT_GT(backwards, 2);
  EXPECT_LT(backwards, 8);
  // The last target is nothing to it, and the first id is a target alone: the logits stay.
  const double other = 2 * loss({1, 2, 3}, {2, 3, 7}) - forwards({1, 2, 3}, {2, 3, 7});
  EXPECT_NEAR(other, backwards, 1e-5);
}

TEST(LanguageNetwork, OneHotIsAFrozenIdentity) {
  LanguageModelOptions options = small({});
  options.embedding = 0;
  LanguageNetwork network(options, kVocabulary);
  network.initialize(Stream(4));
  const Parameter& table = network.embedding().table();
  EXPECT_FALSE(table.trainable);
  ASSERT_EQ(table.value.shape(), (Shape{kVocabulary, kVocabulary}));
  for (int64_t i = 0; i < 64; ++i) EXPECT_EQ(table.value.at(i), i % 9 == 0 ? 1 : 0);
}

TEST(LanguageNetwork, PreparedPassesHaveTheSameBits) {
  for (const int64_t table : {int64_t{0}, int64_t{1} << 20}) {
    LanguageNetwork network(small({.layers = 2}), kVocabulary);
    network.initialize(Stream(4));
    const auto backend = open_device("cpu", 1);
    const Rows rows;
    Tape plain(*backend);
    const Tensor before = network.losses(network.forward(plain, rows.inputs, rows.packing), rows.targets);
    network.prepare(*backend, Precision::kFloat32, table);
    Tape prepared(*backend);
    const Tensor after = network.losses(network.forward(prepared, rows.inputs, rows.packing), rows.targets);
    EXPECT_EQ(std::memcmp(before.raw(), after.raw(), static_cast<size_t>(before.bytes())), 0);
  }
}

TEST(LanguageNetwork, WeightDropoutChangesFromTheSecondStepOn) {
  LanguageNetwork network(small({.weight_dropout = 0.5}), kVocabulary);
  network.initialize(Stream(4));
  const auto backend = open_device("cpu", 1);
  const Packing packing(std::vector<int64_t>{3});
  const std::vector<int32_t> ids = {1, 2, 3};
  const auto outputs = [&](uint64_t seed, bool training) {
    Tape tape(*backend, {.training = training, .random = Stream(seed)});
    return network.forward(tape, ids, packing).raw.value();
  };
  const Tensor a = outputs(1, true), b = outputs(2, true), c = outputs(3, false);
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(a.at(i), b.at(i));  // the first step has no state to multiply
    EXPECT_EQ(a.at(i), c.at(i));
  }
  EXPECT_NE(std::memcmp(a.data<float>() + 4, b.data<float>() + 4, 16), 0);
}

TEST(LanguageNetwork, OptionsThatDoNotFitAreErrors) {
  const auto refused = [](const LanguageModelOptions& options, const char* words) {
    try {
      options.check();
      FAIL() << words << " was accepted";
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
    }
  };
  LanguageModelOptions options = small({.layers = 2, .bidirectional = true});
  refused(options, "--bidirectional");
  options = small({});
  options.tied = true;
  options.embedding = 5;
  refused(options, "--tied: the last layer has 4 outputs, an embedding 5 numbers");
  options.embedding = 4;
  options.adaptive = {"4"};
  refused(options, "--tied and --adaptive");
  options.tied = false;
  options.adaptive = {"4", "x"};
  refused(options, "x is no rising number");
  options.adaptive = {};
  options.embedding = 0;
  options.tied = true;
  refused(options, "--embedding 0");
}

}  // namespace
}  // namespace rondo
