#include "storage/language_model_file.h"

#include <gmock/gmock.h>

#include <cstring>

#include "rondo/errors.h"
#include "small_classifier.h"
#include "storage/classifier_file.h"
#include "storage/quantized.h"

namespace rondo {
namespace {

LanguageModel small_model(LanguageModelOptions options = {.embedding = 4, .recurrent = {.hidden = 4}}) {
  LanguageModel model;
  model.tokenizer = make_tokenizer(options.tokenizer);
  model.vocabulary = Vocabulary::from_tokens(
      {Vocabulary::kUnknownToken, Vocabulary::kEndToken, "a", "b", "c", "d", "e", "f"});
  model.network = std::make_unique<LanguageNetwork>(options, model.vocabulary.size());
  model.network->initialize(Stream(3));
  return model;
}

void expect_refused(const ModelFile& file, const char* what) {
  try {
    unpack_language_model(file, "m.rondo");
    FAIL() << "accepted: " << what;
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(what));
    EXPECT_THAT(error.what(), testing::HasSubstr("m.rondo"));
  }
}

std::vector<LanguageModelOptions> kinds() {
  return {
      {.embedding = 4, .recurrent = {.hidden = 4}},
      {.embedding = 4, .recurrent = {.hidden = 4}, .tied = true},
      {.embedding = 0, .recurrent = {.cell = Cell::kGru, .hidden = 4, .layers = 2}},
      {.embedding = 3, .recurrent = {.hidden = 16}, .adaptive = {"2", "5"}},
      {.embedding = 4, .recurrent = {.hidden = 4, .bidirectional = true}},
      {.embedding = 4, .recurrent = {.hidden = 4, .bidirectional = true}, .tied = true},
      {.embedding = 3, .recurrent = {.hidden = 16, .bidirectional = true}, .adaptive = {"3"}},
      {.embedding = 3,
       .recurrent = {.hidden = 6, .layers = 3, .last_hidden = 3, .peepholes = true},
       .tied = true},
      {.embedding = 2, .recurrent = {.cell = Cell::kRnn, .hidden = 5, .layers = 2}},
      {.embedding = 3, .recurrent = {.hidden = 8, .layers = 2, .projection = 3}, .tied = true},
  };
}

TEST(LanguageModelFile, ComesBackWithTheSameBits) {
  for (const LanguageModelOptions& options : kinds()) {
    const LanguageModel model = small_model(options);
    const ModelFile file = pack_language_model(model);
    SCOPED_TRACE(file.config.dump());
    const LanguageModel same = unpack_language_model(file, "m.rondo");
    EXPECT_EQ(same.vocabulary.tokens(), model.vocabulary.tokens());
    EXPECT_EQ(same.end(), 1);
    EXPECT_EQ(pack_language_model(same).config, file.config);
    auto other = same.network->parameters().all().begin();
    for (const Parameter& parameter : model.network->parameters().all()) {
      EXPECT_EQ(other->name, parameter.name);
      EXPECT_EQ(std::memcmp(other->value.raw(), parameter.value.raw(), parameter.value.bytes()), 0)
          << parameter.name;
      ++other;
    }
  }
}

TEST(LanguageModelFile, QuantizedWeightsComeBackAsFloats) {
  for (const LanguageModelOptions& options : kinds()) {
    const LanguageModel model = small_model(options);
    const ModelFile file = quantize(pack_language_model(model));
    const LanguageModel same = unpack_language_model(file, "m.rondo");
    EXPECT_EQ(same.options().recurrent.precision, Precision::kInt8);
    auto other = same.network->parameters().all().begin();
    for (const Parameter& parameter : model.network->parameters().all()) {
      for (int64_t i = 0; i < parameter.value.size(); ++i) {
        // Weights are within 1: half of a 127th at most.
        ASSERT_NEAR(other->value.at(i), parameter.value.at(i), 1.0 / 250) << parameter.name;
      }
      ++other;
    }
  }
}

TEST(LanguageModelFile, AHostileConfigurationIsRefusedBeforeMemoryIsTaken) {
  ModelFile file = pack_language_model(small_model());
  file.config["embedding"] = 65536;
  file.config["hidden"] = 65536;
  expect_refused(file, "weights");
  file = pack_language_model(small_model());
  file.config["bidirectional"] = true;
  expect_refused(file, "weights");
  // Clusters beyond the vocabulary would count as less than nothing and hide a layer of 16 GiB.
  file = pack_language_model(small_model());
  file.config["hidden"] = 32768;
  file.config["adaptive"] = {"4", "200000000"};
  expect_refused(file, "adaptive");
  file.config["adaptive"] = {"8"};
  expect_refused(file, "adaptive");
  file.config["adaptive"] = {"-3"};
  expect_refused(file, "adaptive");
  // Adaptive clusters narrower than a number.
  file = pack_language_model(small_model());
  file.config["adaptive"] = {"2", "5"};
  expect_refused(file, "m.rondo");
}

TEST(LanguageModelFile, PartsThatDoNotFitAreNamed) {
  ModelFile file = pack_language_model(small_model());
  file.tensors.back().first = "decoder.bias2";
  expect_refused(file, "decoder.bias");
  file = pack_language_model(small_model());
  file.tensors.emplace_back("more", Tensor({2}));
  expect_refused(file, "weights");
  file = pack_language_model(small_model());
  file.tensors.pop_back();
  expect_refused(file, "weights");
  file = pack_language_model(small_model());
  file.vocabulary[1] = "g";
  expect_refused(file, "</s>");
  file = pack_language_model(small_model());
  file.vocabulary[2] = "b";  // twice
  expect_refused(file, "b");
  file = pack_language_model(small_model());
  file.config["tied"] = true;
  expect_refused(file, "weights");
  file = pack_language_model(small_model());
  file.config["cell"] = "lstn";
  expect_refused(file, "lstm");
  file = pack_language_model(small_model());
  file.config["tokenizer"] = "sentencepiece";
  expect_refused(file, "m.rondo");
}

TEST(LanguageModelFile, AnotherKindIsRefusedBothWays) {
  expect_refused(pack_classifier(small_classifier({.embedding = 3})), "classifier");
  EXPECT_THROW(unpack_classifier(pack_language_model(small_model()), "m.rondo"), FormatError);
}

}  // namespace
}  // namespace rondo
