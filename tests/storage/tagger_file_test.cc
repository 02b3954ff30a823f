#include "storage/tagger_file.h"

#include <gmock/gmock.h>

#include <cstring>

#include "rondo/errors.h"
#include "small_classifier.h"
#include "small_tagger.h"
#include "storage/classifier_file.h"
#include "storage/quantized.h"

namespace rondo {
namespace {

void expect_refused(const ModelFile& file, const char* what) {
  try {
    unpack_tagger(file, "m.rondo");
    FAIL() << "accepted: " << what;
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(what));
    EXPECT_THAT(error.what(), testing::HasSubstr("m.rondo"));
  }
}

TEST(TaggerFile, ComesBackWithTheSameBits) {
  for (const TaggerOptions& options : small_taggers()) {
    const TaggerModel model = small_tagger(options);
    const ModelFile file = pack_tagger(model);
    SCOPED_TRACE(file.config.dump());
    const TaggerModel same = unpack_tagger(file, "m.rondo");
    EXPECT_EQ(same.words.tokens(), model.words.tokens());
    EXPECT_EQ(same.characters.tokens(), model.characters.tokens());
    EXPECT_EQ(same.labels.names(), model.labels.names());
    const ModelFile again = pack_tagger(same);
    EXPECT_EQ(again.config, file.config);
    ASSERT_EQ(again.tensors.size(), file.tensors.size());
    for (size_t i = 0; i < file.tensors.size(); ++i) {
      const Tensor &a = file.tensors[i].second, &b = again.tensors[i].second;
      EXPECT_EQ(again.tensors[i].first, file.tensors[i].first);
      EXPECT_EQ(std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())), 0);
    }
  }
}

TEST(TaggerFile, RemembersColumnsThatOptionsChose) {
  TaggerModel model = small_tagger(small_taggers()[1]);
  EXPECT_FALSE(pack_tagger(model).config.contains("columns"));
  model.columns = {.conllu = true, .token = "lemma", .tag = "xpos"};
  const TaggerModel same = unpack_tagger(pack_tagger(model), "m.rondo");
  EXPECT_TRUE(same.columns.conllu);
  EXPECT_EQ(same.columns.token, "lemma");
  EXPECT_EQ(same.columns.tag, "xpos");
}

TEST(TaggerFile, WholeNumbersComeBackNear) {
  for (const TaggerOptions& options : small_taggers()) {
    const TaggerModel model = small_tagger(options);
    const TaggerModel small = unpack_tagger(quantize(pack_tagger(model)), "m.rondo");
    EXPECT_EQ(small.options().recurrent.precision, Precision::kInt8);
    double largest = 0;
    for (const Parameter& parameter : model.network->parameters().all()) {
      const Tensor& other = small.network->parameters().find(parameter.name).value;
      for (int64_t i = 0; i < other.size(); ++i) {
        largest = std::max(largest, std::abs(other.at(i) - parameter.value.at(i)));
      }
    }
    EXPECT_GT(largest, 0);
    EXPECT_LT(largest, 0.05);
  }
}

TEST(TaggerFile, WhatDoesNotFitIsRefused) {
  const ModelFile good = pack_tagger(small_tagger(small_taggers()[1]));
  const auto with = [&](const char* key, const nlohmann::json& value) {
    ModelFile file = good;
    file.config[key] = value;
    return file;
  };
  expect_refused(with("alphabet", 3), "alphabet");
  expect_refused(with("alphabet", {"<unk>", 3}), "alphabet");
  expect_refused(with("alphabet", {"<unk>", "b", "a", "d", "e", "m"}), "</w>");
  expect_refused(with("alphabet", {"<unk>", "</w>", "a", "a", "e", "m"}), "a");
  expect_refused(with("alphabet", {"<unk>", "</w>", "a"}), "weights");
  expect_refused(with("columns", 3), "columns");
  expect_refused(with("columns", {{"conllu", 1}, {"token", ""}, {"tag", "xpos"}}), "columns");
  expect_refused(with("scheme", "auto"), "scheme");
  expect_refused(with("character-units", 4096), "weights");
  expect_refused(with("hidden", 65536), "weights");
  ModelFile file = good;
  file.labels = {};
  expect_refused(file, "without labels");
  file = good;
  file.labels = {"O", "O", "B-X"};
  expect_refused(file, "O");
  file = good;
  file.labels = {"NOUN", "O", "VERB"};
  expect_refused(file, "BIO labels");
  file = good;
  file.tensors.pop_back();
  expect_refused(file, "weights");
  expect_refused(pack_classifier(small_classifier({.embedding = 2, .recurrent = {.hidden = 2}})),
                 "it holds a classifier, a tagger is needed here; rondo predict");
}

}  // namespace
}  // namespace rondo
