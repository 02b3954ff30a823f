// Where two models differ.
#include "inspect/difference.h"

#include "small_models.h"
#include "storage/quantized.h"

namespace rondo {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const char* const kText = "a good film not a bad film";
const RecurrentOptions kBoth{.hidden = 5, .layers = 2, .bidirectional = true};

ModelFile classifier_file(const RecurrentOptions& recurrent = kBoth) {
  return pack_classifier(worded_classifier({.embedding = 4, .recurrent = recurrent}));
}

// The number of a tensor, in a copy that does not share it.
float& number_in(ModelFile& file, const std::string& name, int64_t element) {
  for (auto& [own, tensor] : file.tensors) {
    if (own != name) continue;
    tensor = tensor.clone();
    return tensor.data<float>()[element];
  }
  throw std::runtime_error("no such tensor");
}

TEST(FileDifference, IsNoneOfAFileAndItself) {
  EXPECT_THAT(file_differences(classifier_file(), classifier_file(), 0), IsEmpty());
}

TEST(FileDifference, NamesTheOptionTheWordTheLabelAndTheNumber) {
  const ModelFile a = classifier_file();
  ModelFile b = classifier_file();
  b.config["hidden"] = 6;
  b.vocabulary[3] = "worse";
  b.labels.emplace_back("more");
  number_in(b, "lstm.weight_ih_l0", 7) += 0.25F;
  number_in(b, "lstm.weight_hh_l1", 2) += 0.5F;
  const std::vector<std::string> said = file_differences(a, b, 0);
  EXPECT_THAT(said, Contains("option hidden: 5 and 6"));
  EXPECT_THAT(
      said,
      Contains("vocabulary: 6 and 6 entries, the first that differs is number 3: \"bad\" and \"worse\""));
  EXPECT_THAT(said,
              Contains("labels: 3 and 4 entries, the first that differs is number 3: no more and \"more\""));
  EXPECT_THAT(said, Contains(HasSubstr("tensor lstm.weight_ih_l0: from its number [1, 3] on: ")));
  EXPECT_THAT(said, Contains("in all 2 tensors differ, most lstm.weight_hh_l1 [0, 2] by 0.5"));
}

TEST(FileDifference, UpToTheToleranceIsNone) {
  const ModelFile a = classifier_file();
  ModelFile b = classifier_file();
  number_in(b, "lstm.weight_ih_l0", 7) += 0.001F;
  EXPECT_THAT(file_differences(a, b, 0.01), IsEmpty());
  EXPECT_EQ(file_differences(a, b, 0.0001).size(), 2U);
}

TEST(FileDifference, TakesQuantizedWeightsForTheNumbersThatTheyStandFor) {
  const ModelFile a = classifier_file();
  const std::vector<std::string> said = file_differences(a, quantize(a), 0.05);
  EXPECT_THAT(said, ElementsAre("option precision: \"f32\" and \"int8\""));
}

TEST(TraceDifference, IsNoneOfAModelAndItself) {
  const auto backend = open_device("cpu", 1), other = open_device("cpu", 2);
  const TraceDifference found = trace_difference(Tracer(classifier_file(), "a", *backend, {}).trace(kText),
                                                 Tracer(classifier_file(), "b", *other, {}).trace(kText), 0);
  EXPECT_TRUE(found.same());
  EXPECT_EQ(difference_text(found, 0), "  the same bits\n");
}

// A changed weight of the second layer's reverse direction: the first number is of its gate at the text's
// end, which it reads first.
TEST(TraceDifference, FindsTheFirstLayerDirectionStepAndUnit) {
  const auto backend = open_device("cpu", 1);
  ModelFile b = classifier_file();
  number_in(b, "lstm.bias_ih_l1_reverse", 5 + 2) += 0.25F;  // the forget gate of unit 2
  const TraceDifference found = trace_difference(Tracer(classifier_file(), "a", *backend, {}).trace(kText),
                                                 Tracer(b, "b", *backend, {}).trace(kText), 0);
  ASSERT_TRUE(found.first);
  EXPECT_EQ(found.first->place, "layer 1 in reverse, f");
  EXPECT_EQ(found.first->step, 6);
  EXPECT_EQ(found.first->token, "film");
  EXPECT_EQ(found.first->unit, "unit 2");
  for (const ValueDifference& one : found.largest) {
    EXPECT_TRUE(one.place.starts_with("layer 1 in reverse") || one.place == "probabilities") << one.place;
  }
  EXPECT_THAT(difference_text(found, 0),
              HasSubstr("  first: layer 1 in reverse, f, step 6 \"film\", unit 2: "));
}

TEST(TraceDifference, FindsWhereBfloat16IsFirstTooFarAway) {
  const auto backend = open_device("cpu", 1);
  const TextTrace full = Tracer(classifier_file(), "a", *backend, {}).trace(kText);
  const TextTrace narrow =
      Tracer(classifier_file(), "a", *backend, {.precision = RunPrecision::kBfloat16}).trace(kText);
  const TraceDifference found = trace_difference(full, narrow, 1e-3);
  ASSERT_TRUE(found.first);
  EXPECT_GT(found.first->size(), 1e-3);
  EXPECT_TRUE(trace_difference(full, narrow, 0.5).same());
}

TEST(TraceDifference, OfTwoDevicesIsOfRoundings) {
  const auto fast = open_device("cpu", 1), exact = open_device("reference", 1);
  for (const RecurrentOptions& recurrent : small_stacks()) {
    const ModelFile file = classifier_file(recurrent);
    EXPECT_TRUE(trace_difference(Tracer(file, "a", *fast, {}).trace(kText),
                                 Tracer(file, "a", *exact, {}).trace(kText), 1e-5)
                    .same());
  }
}

TEST(TraceDifference, SaysWhatCannotBeCompared) {
  const auto backend = open_device("cpu", 1);
  const Tracer a(classifier_file(), "a", *backend, {}),
      gru(classifier_file(small_stacks()[7]), "b", *backend, {});
  const LanguageModel language = small_language_model({.embedding = 4, .recurrent = {.hidden = 5}});
  const Tracer other(pack_language_model(language), "c", *backend, {});
  EXPECT_THAT(trace_difference(a.trace(kText), other.trace("ab"), 0).note, HasSubstr("different kinds"));
  EXPECT_THAT(trace_difference(a.trace(kText), a.trace("bad"), 0).note, HasSubstr("tokens"));
  const TraceDifference cells = trace_difference(a.trace(kText), gru.trace(kText), 0);
  EXPECT_THAT(cells.note, HasSubstr("layers are of other shapes"));
  EXPECT_EQ(cells.first->place, "probabilities");
}

TEST(TraceDifference, OfTranslationsEndsWhereTheyPart) {
  const auto backend = open_device("cpu", 1);
  const ModelFile file = translator_file(worded_translator({.embedding = 6, .hidden = 8}));
  const Tracer tracer(file, "a", *backend, {});
  const TextTrace a = tracer.trace("s1 s2", {.target = "t1 t2 t3"}),
                  b = tracer.trace("s1 s2", {.target = "t1 t5"});
  const TraceDifference found = trace_difference(a, b, 0);
  EXPECT_FALSE(found.first);  // the decoder read the same as long as it is compared
  EXPECT_THAT(found.outputs, ElementsAre("translation: \"t1 t2 t3\" and \"t1 t5\""));
}

}  // namespace
}  // namespace rondo
