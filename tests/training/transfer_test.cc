#include "training/transfer.h"

#include <gmock/gmock.h>

#include "models/classifier_options.h"
#include "models/language_network.h"
#include "rondo/errors.h"

namespace rondo {
namespace {

using testing::HasSubstr;

TEST(Transfer, AGrownVocabularyKeepsItsIds) {
  const auto base = Vocabulary::from_tokens({Vocabulary::kUnknownToken, Vocabulary::kEndToken, "a", "b"});
  const auto found =
      Vocabulary::from_tokens({Vocabulary::kUnknownToken, Vocabulary::kEndToken, "c", "b", "d"});
  const std::vector<std::string> wanted = {"<unk>", "</s>", "a", "b", "c", "d"};
  EXPECT_EQ(grown(base, found).tokens(), wanted);
  EXPECT_EQ(grown(base, base).tokens(), base.tokens());
}

TEST(Transfer, WeightsAreTakenAndNewRowsAreTheMeanOfTheOthers) {
  for (const bool tied : {false, true}) {
    const LanguageModelOptions options{.embedding = 4, .recurrent = {.hidden = 4}, .tied = tied};
    LanguageNetwork base(options, 5), larger(options, 7);
    base.initialize(Stream(1));
    larger.initialize(Stream(2));
    EXPECT_EQ(take_parameters(base.parameters(), larger.parameters()), tied ? 6 : 7);
    for (const Parameter& from : base.parameters().all()) {
      const Tensor& to = larger.parameters().find(from.name).value;
      for (int64_t i = 0; i < from.value.size(); ++i) ASSERT_EQ(to.at(i), from.value.at(i)) << from.name;
      if (to.size() == from.value.size()) continue;
      const int64_t columns = to.size() / 7;
      for (int64_t c = 0; c < columns; ++c) {
        double mean = 0;
        for (int64_t r = 0; r < 5; ++r) mean += from.value.at(r * columns + c) / 5;
        EXPECT_NEAR(to.at(5 * columns + c), mean, 1e-6) << from.name;
        EXPECT_EQ(to.at(6 * columns + c), to.at(5 * columns + c));
      }
    }
  }
}

TEST(Transfer, AdaptiveClustersGrowAtTheirEnd) {
  const LanguageModelOptions options{.embedding = 4, .recurrent = {.hidden = 16}, .adaptive = {"2", "4"}};
  LanguageNetwork base(options, 6), larger(options, 9);
  base.initialize(Stream(1));
  EXPECT_EQ(take_parameters(base.parameters(), larger.parameters()),
            static_cast<int64_t>(base.parameters().all().size()));
}

TEST(Transfer, WeightsOfAnotherWidthAreAnErrorThatNamesThem) {
  LanguageNetwork base({.embedding = 4, .recurrent = {.hidden = 4}}, 5);
  LanguageNetwork wider({.embedding = 4, .recurrent = {.hidden = 6}}, 5);
  LanguageNetwork fewer({.embedding = 4, .recurrent = {.hidden = 4}}, 3);
  for (LanguageNetwork* network : {&wider, &fewer}) {
    try {
      take_parameters(base.parameters(), network->parameters());
      FAIL() << "accepted";
    } catch (const ShapeError& error) {
      EXPECT_THAT(error.what(), HasSubstr("does not fit"));
    }
  }
}

TEST(Transfer, TheShapeIsInheritedUnlessToldOtherwise) {
  LanguageModelOptions base{.embedding = 24, .recurrent = {.cell = Cell::kGru, .hidden = 40, .layers = 2}};
  base.recurrent.dropout = 0.4;
  ClassifierOptions own, defaults;
  inherit_shape(OptionList(own), OptionList(base), {.from = "lm.rondo"});
  EXPECT_EQ(own.embedding, 24);
  EXPECT_EQ(own.recurrent.cell, Cell::kGru);
  EXPECT_EQ(own.recurrent.hidden, 40);
  EXPECT_EQ(own.recurrent.layers, 2);
  EXPECT_EQ(own.tokenizer, TokenizerKind::kCharacters);
  EXPECT_EQ(own.recurrent.dropout, defaults.recurrent.dropout);  // how it is trained is its own
  ClassifierOptions other;
  other.recurrent.hidden = 41;
  try {
    inherit_shape(OptionList(other), OptionList(base), {.from = "lm.rondo", .chosen = {"hidden"}});
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--hidden 41: lm.rondo has 40"));
  }
  other.recurrent.hidden = 40;  // the same is no contradiction
  inherit_shape(OptionList(other), OptionList(base), {.from = "lm.rondo", .chosen = {"hidden"}});
}

TEST(Transfer, ADefaultThatWasChosenIsNotDroppedInSilence) {
  LanguageModelOptions base{.embedding = 24};
  ClassifierOptions own;
  EXPECT_THROW(inherit_shape(OptionList(own), OptionList(base),
                             {.from = "lm.rondo", .chosen = {"tokenizer", "bidirectional"}}),
               ConfigError);
}

TEST(Transfer, LowerLayersLearnMoreSlowlyAndLater) {
  LanguageNetwork network({.embedding = 4, .recurrent = {.hidden = 4, .layers = 2}}, 5);
  const auto rate = [&](const char* name) { return network.parameters().find(name).rate; };
  set_rates(network.parameters(), {.layer_rate = 0.5, .unfreeze = 2}, 2, 0);
  EXPECT_EQ(rate("decoder.bias"), 1);
  EXPECT_EQ(rate("lstm.weight_hh_l1"), 1);
  EXPECT_EQ(rate("lstm.weight_hh_l0"), 0);
  EXPECT_EQ(rate("embedding.weight"), 0);
  set_rates(network.parameters(), {.layer_rate = 0.5, .unfreeze = 2}, 2, 2);
  EXPECT_EQ(rate("lstm.bias_ih_l0"), 0.5);
  EXPECT_EQ(rate("embedding.weight"), 0);
  set_rates(network.parameters(), {.layer_rate = 0.5, .unfreeze = 2}, 2, 4);
  EXPECT_EQ(rate("embedding.weight"), 0.25);
  set_rates(network.parameters(), {}, 2, 0);
  for (const Parameter& parameter : network.parameters().all()) EXPECT_EQ(parameter.rate, 1);
}

TEST(Transfer, BothDirectionsOfALayerHaveItsRate) {
  LanguageNetwork network({.embedding = 4, .recurrent = {.hidden = 4, .bidirectional = true}}, 5);
  set_rates(network.parameters(), {.layer_rate = 0.5}, 1, 0);
  EXPECT_EQ(network.parameters().find("lstm.weight_hh_l0_reverse").rate, 1);
  EXPECT_EQ(network.parameters().find("embedding.weight").rate, 0.5);
}

TEST(Transfer, OptionsWithoutAModelToBeginFromAreErrors) {
  EXPECT_THROW((TransferOptions{.layer_rate = 0.5}.check()), ConfigError);
  EXPECT_THROW((TransferOptions{.unfreeze = 1}.check()), ConfigError);
  TransferOptions{}.check();
  TransferOptions{.from = "lm.rondo", .layer_rate = 0.5, .unfreeze = 1}.check();
}

}  // namespace
}  // namespace rondo
