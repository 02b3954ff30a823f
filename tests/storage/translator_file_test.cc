#include "storage/translator_file.h"

#include <gmock/gmock.h>

#include <cstring>

#include "rondo/errors.h"
#include "small_classifier.h"
#include "small_translator.h"
#include "storage/classifier_file.h"
#include "storage/quantized.h"
#include "test_files.h"
#include "text/sentencepiece_training.h"

namespace rondo {
namespace {

std::vector<TranslatorOptions> kinds() {
  std::vector<TranslatorOptions> all;
  for (const AttentionKind kind : {AttentionKind::kNone, AttentionKind::kBahdanau, AttentionKind::kDot,
                                   AttentionKind::kGeneral, AttentionKind::kConcat, AttentionKind::kLocal}) {
    TranslatorOptions options = small_translator_options();
    options.attention = kind;
    options.tied = options.joint = all.size() % 2 == 1;
    options.layers = 1 + static_cast<int64_t>(all.size() % 2);
    all.push_back(options);
  }
  all.front().bridge = Bridge::kMean;
  all.back().cell = Cell::kGru;
  all.back().input_feeding = true;
  return all;
}

void expect_refused(const ModelFile& file, const char* what) {
  try {
    unpack_translator(file, "m.rondo");
    FAIL() << "accepted: " << what;
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(what));
    EXPECT_THAT(error.what(), testing::HasSubstr("m.rondo"));
  }
}

TEST(TranslatorFile, ComesBackWithTheSameBits) {
  const TestFolder folder;
  for (const TranslatorOptions& options : kinds()) {
    SCOPED_TRACE(name_of(options.attention));
    const TranslatorModel model = small_translator(options);
    save_translator(folder.file("m.rondo"), model, {{"bleu", 3}});
    const TranslatorModel same = load_translator(folder.file("m.rondo"));
    EXPECT_EQ(same.source.vocabulary.tokens(), model.source.vocabulary.tokens());
    EXPECT_EQ(same.target.vocabulary.tokens(), model.target.vocabulary.tokens());
    EXPECT_EQ(pack_translator(same, {}).config, pack_translator(model, {}).config);
    auto other = same.network->parameters().all().begin();
    for (const Parameter& parameter : model.network->parameters().all()) {
      EXPECT_EQ(other->name, parameter.name);
      EXPECT_EQ(std::memcmp(other->value.raw(), parameter.value.raw(),
                            static_cast<size_t>(parameter.value.bytes())),
                0)
          << parameter.name;
      ++other;
    }
  }
}

TEST(TranslatorFile, KeepsASubwordModelALanguage) {
  const TestFolder folder;
  TranslatorOptions options = small_translator_options();
  options.tokenizer = TokenizerKind::kSentencePiece;
  const auto coder = [](const std::vector<std::string>& texts) {
    const std::string pieces = train_sentencepiece(texts, {.vocabulary = 25});
    return TextCoder{.tokenizer = make_tokenizer(TokenizerKind::kSentencePiece, pieces),
                     .vocabulary = Vocabulary::from_sentencepiece(pieces)};
  };
  TranslatorModel model;
  model.source = coder({"a dog runs in the park", "a cat runs after the dog",
                        "the dog sleeps near the old cat", "the cat sleeps in the sun"});
  model.target = coder({"ein Hund rennt im Park", "eine Katze rennt dem Hund nach",
                        "der Hund ruht bei der alten Katze", "die Katze ruht in der Sonne"});
  model.network = std::make_unique<TranslatorNetwork>(options, model.source.vocabulary.size(),
                                                      model.target.vocabulary.size());
  model.network->initialize(Stream(3));
  save_translator(folder.file("m.rondo"), model, {});
  const TranslatorModel same = load_translator(folder.file("m.rondo"));
  EXPECT_EQ(same.encode_source("the cat"), model.encode_source("the cat"));
  EXPECT_EQ(same.encode_source("the cat").back(), same.source.end());
  const std::vector<int32_t> ids = same.encode_target("der Hund rennt");
  EXPECT_EQ(ids, model.encode_target("der Hund rennt"));
  EXPECT_EQ(same.decode_target(ids), "der Hund rennt");
}

TEST(TranslatorFile, AWordThatIsSpelledLikeTheEndIsUnknown) {
  const TranslatorModel model = small_translator(small_translator_options());
  EXPECT_EQ(model.encode_source("a </s> b"), (std::vector<int32_t>{2, 0, 3, 1}));
  EXPECT_EQ(model.encode_target("</s>"), (std::vector<int32_t>{0}));
  EXPECT_EQ(model.decode_target(std::vector<int32_t>{2, 4, 1}), "x z");
  EXPECT_EQ(model.encode_source(""), (std::vector<int32_t>{1}));
}

TEST(TranslatorFile, QuantizedWeightsComeBackAsFloats) {
  for (const TranslatorOptions& options : kinds()) {
    SCOPED_TRACE(name_of(options.attention));
    const TranslatorModel model = small_translator(options);
    const TranslatorModel same = unpack_translator(quantize(pack_translator(model, {})), "m.rondo");
    EXPECT_EQ(same.options().precision, Precision::kInt8);
    auto other = same.network->parameters().all().begin();
    for (const Parameter& parameter : model.network->parameters().all()) {
      for (int64_t i = 0; i < parameter.value.size(); ++i) {
        // Weights are within 2 (a forget bias of 1 is added): half of a 127th of that at most.
        ASSERT_NEAR(other->value.at(i), parameter.value.at(i), 1.0 / 125) << parameter.name;
      }
      ++other;
    }
  }
}

TEST(TranslatorFile, AHostileConfigurationIsRefusedBeforeMemoryIsTaken) {
  for (const char* name : {"embedding", "hidden", "encoder-hidden"}) {
    ModelFile file = pack_translator(small_translator(small_translator_options()), {});
    file.config[name] = 65536;
    expect_refused(file, "weights");
  }
  ModelFile file = pack_translator(small_translator(small_translator_options()), {});
  file.config["layers"] = 64;
  expect_refused(file, "weights");
}

TEST(TranslatorFile, PartsThatDoNotFitAreNamed) {
  const auto packed = [] { return pack_translator(small_translator(small_translator_options()), {}); };
  ModelFile file = packed();
  file.target_vocabulary.clear();
  expect_refused(file, "vocabularies");
  file = packed();
  file.config["joint"] = true;
  expect_refused(file, "vocabularies");
  file = packed();
  file.target_vocabulary[1] = "v";
  expect_refused(file, "target vocabulary has no </s>");
  file = packed();
  file.vocabulary[1] = "v";
  expect_refused(file, "source vocabulary has no </s>");
  file = packed();
  file.target_vocabulary.push_back("more");
  expect_refused(file, "weights");
  file = packed();
  file.target_vocabulary[3] = "x";  // twice
  expect_refused(file, "x");
  file = packed();
  file.config["tokenizer"] = "sentencepiece";
  expect_refused(file, "m.rondo");
  file = packed();
  file.config["attention"] = "general2";
  expect_refused(file, "general");
}

TEST(TranslatorFile, AnotherKindIsRefusedBothWays) {
  expect_refused(pack_classifier(small_classifier({.embedding = 3})), "classifier");
  EXPECT_THROW(
      unpack_classifier(pack_translator(small_translator(small_translator_options()), {}), "m.rondo"),
      FormatError);
}

}  // namespace
}  // namespace rondo
