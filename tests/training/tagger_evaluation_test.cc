#include "training/tagger_evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "storage/small_tagger.h"
#include "tensor/device.h"

namespace rondo {
namespace {

/// Sentences of 0 to 8 words, some of unknown ones alone; some tags break the scheme, some the model lacks.
std::vector<ConllSentence> made_sentences(int count) {
  const std::vector<std::string> words = {"Ada", "met", "London", "x"}, tags = {"B-X", "O", "I-X", "O", "Y"};
  std::vector<ConllSentence> sentences;
  for (int i = 0; i < count; ++i) {
    ConllSentence& sentence = sentences.emplace_back();
    sentence.line = i + 1;
    for (int t = 0; t < i * 5 % 9; ++t) {
      sentence.tokens.push_back(i % 3 == 0 ? "x" : words[static_cast<size_t>((i + t) % 4)]);
      sentence.tags.push_back(tags[static_cast<size_t>(i % 7 == 0 ? (i + t) % 5 : t % 2)]);
    }
  }
  return sentences;
}

/// Losses of log 3 a word for sentences of unknown words alone, and of 1e10 for others: what is small is
/// rounded when it is added to what is great, so that the order of a sum shows.
TaggerModel uneven_tagger() {
  TaggerModel model = small_tagger(small_taggers()[0]);
  for (Parameter& parameter : model.network->parameters().all()) {
    const std::string& name = parameter.name;
    if (name.find("bias") != std::string::npos || name.starts_with("crf.")) parameter.value.fill(0);
  }
  for (float& value : model.network->parameters().find("linear.weight").value.values<float>()) value *= 1e11F;
  float* unknown = model.network->word_table()->value.data<float>();
  std::fill(unknown, unknown + model.options().embedding, 0.0F);
  return model;
}

void expect_the_same(const TaggerModel& model) {
  const auto backend = open_device("cpu", 1);
  WordForms forms = model.forms();
  const TaggedCorpus corpus = encode_tagged(made_sentences(200), model.options(), model.labels, forms);
  const TaggerEvaluation whole = evaluate_tagger(model, *backend, forms, corpus);
  EXPECT_GT(whole.loss, 0);
  EXPECT_GT(whole.tags.examples, 500);
  for (const int64_t max_rows : {1, 3, 17, 100}) {
    const TaggerEvaluation parts = evaluate_tagger(model, *backend, forms, corpus, max_rows);
    EXPECT_EQ(parts.loss, whole.loss) << max_rows;
    EXPECT_EQ(parts.to_json(), whole.to_json()) << max_rows;
  }
}

TEST(TaggerEvaluation, NoBitDependsOnTheBatches) {
  for (const TaggerOptions& options : small_taggers()) expect_the_same(small_tagger(options));
  expect_the_same(uneven_tagger());
}

}  // namespace
}  // namespace rondo
