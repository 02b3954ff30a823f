#include "storage/captioner_file.h"

#include <gmock/gmock.h>

#include <cstring>

#include "rondo/errors.h"
#include "small_captioner.h"
#include "small_classifier.h"
#include "storage/classifier_file.h"
#include "test_files.h"

namespace rondo {
namespace {

void expect_refused(const ModelFile& file, const char* what) {
  try {
    unpack_captioner(file, "m.rondo");
    FAIL() << "accepted: " << what;
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(what));
    EXPECT_THAT(error.what(), testing::HasSubstr("m.rondo"));
  }
}

TEST(CaptionerFile, ComesBackWithTheSameBits) {
  const TestFolder folder;
  for (const CaptionAttention kind :
       {CaptionAttention::kSoft, CaptionAttention::kHard, CaptionAttention::kNone}) {
    for (const bool given : {false, true}) {
      SCOPED_TRACE(name_of(kind));
      const CaptionerModel model = small_captioner(kind, given);
      save_captioner(folder.file("m.rondo"), model, {{"bleu", 3}});
      const CaptionerModel same = load_captioner(folder.file("m.rondo"));
      EXPECT_EQ(same.text.vocabulary.tokens(), model.text.vocabulary.tokens());
      EXPECT_EQ(pack_captioner(same, {}).config, pack_captioner(model, {}).config);
      auto other = same.network->parameters().all().begin();
      for (const Parameter& parameter : model.network->parameters().all()) {
        EXPECT_EQ(other->name, parameter.name);
        EXPECT_EQ(std::memcmp(other->value.raw(), parameter.value.raw(),
                              static_cast<size_t>(parameter.value.bytes())),
                  0);
        ++other;
      }
    }
  }
}

TEST(CaptionerFile, WhatDoesNotFitIsRefused) {
  const ModelFile good = pack_captioner(small_captioner(CaptionAttention::kSoft, false), {});
  ModelFile file = good;
  file.config["hidden"] = 60000;
  expect_refused(file, "its configuration speaks of");
  file = good;
  file.config["image-size"] = 9;
  expect_refused(file, "multiple of 4");
  file = good;
  file.config["blocks"] = 8;
  expect_refused(file, "--image-size");
  file = good;
  file.tensors.front().first = "encoder.7.weight";
  expect_refused(file, "encoder.0.weight");
  file = good;
  file.vocabulary[1] = "the";
  expect_refused(file, "which ends a caption");
  expect_refused(pack_classifier(small_classifier({}), {}), "it holds a classifier, a captioner is needed");
}

TEST(CaptionerFile, OthersRefuseItAndSayWhoTakesIt) {
  try {
    unpack_classifier(pack_captioner(small_captioner(CaptionAttention::kSoft, false), {}), "m.rondo");
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("rondo caption and rondo evaluate take it"));
  }
}

}  // namespace
}  // namespace rondo
