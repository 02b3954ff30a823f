#include "storage/classifier_file.h"

#include <gmock/gmock.h>

#include "rondo/errors.h"
#include "small_classifier.h"

namespace rondo {
namespace {

ClassifierModel small_model(PoolKind pool = PoolKind::kMax) {
  ClassifierOptions options{.embedding = 3, .pool = pool};
  options.recurrent.hidden = 4;
  options.recurrent.layers = 2;
  options.recurrent.projection = 2;
  options.recurrent.peepholes = true;
  return small_classifier(options);
}

void expect_refused(const ModelFile& file, const char* what) {
  try {
    unpack_classifier(file, "m.rondo");
    FAIL() << "accepted: " << what;
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(what));
  }
}

TEST(ClassifierFile, ComesBackWithTheSameBits) {
  for (const auto& [pool, name] : kNames<PoolKind>) {
    const ClassifierModel model = small_model(pool);
    const ClassifierModel same = unpack_classifier(pack_classifier(model), "m.rondo");
    EXPECT_EQ(same.vocabulary.tokens(), model.vocabulary.tokens());
    EXPECT_EQ(same.labels.names(), model.labels.names());
    auto other = same.network->parameters().all().begin();
    for (const Parameter& parameter : model.network->parameters().all()) {
      EXPECT_EQ(other->name, parameter.name);
      EXPECT_EQ(std::memcmp(other->value.raw(), parameter.value.raw(), parameter.value.bytes()), 0)
          << parameter.name;
      ++other;
    }
  }
}

TEST(ClassifierFile, AHostileConfigurationIsRefusedBeforeMemoryIsTaken) {
  // Each would be 16 GiB and more.
  ModelFile file = pack_classifier(small_model());
  file.config["embedding"] = 65536;
  file.config["hidden"] = 65536;
  expect_refused(file, "weights");
  file = pack_classifier(small_model(PoolKind::kAttention));
  file.config["hidden"] = 65536;
  file.config["projection"] = 65535;
  expect_refused(file, "weights");
  file = pack_classifier(small_model());
  file.config["last-hidden"] = 65536;
  expect_refused(file, "weights");
}

TEST(ClassifierFile, PartsThatDoNotFitAreNamed) {
  ModelFile file = pack_classifier(small_model());
  file.labels.clear();
  expect_refused(file, "0 label");
  file = pack_classifier(small_model());
  file.labels = {"alone"};
  expect_refused(file, "1 label");
  file = pack_classifier(small_model());
  file.tensors.back().first = "linear.bias2";
  expect_refused(file, "linear.bias");
  file = pack_classifier(small_model());
  file.config["cell"] = "lstn";
  expect_refused(file, "lstm");
  file = pack_classifier(small_model());
  file.config.erase("several-labels");
  expect_refused(file, "several-labels");
  file = pack_classifier(small_model());
  file.kind = "tagger";
  expect_refused(file, "tagger");
}

}  // namespace
}  // namespace rondo
