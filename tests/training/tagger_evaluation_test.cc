#include "training/tagger_evaluation.h"

#include <gtest/gtest.h>

#include "storage/small_tagger.h"
#include "tensor/device.h"

namespace rondo {
namespace {

/// Sentences of 0 to 8 words; some tags break the scheme, some the model lacks.
std::vector<ConllSentence> made_sentences(int count) {
  const std::vector<std::string> words = {"Ada", "met", "London", "x"}, tags = {"B-X", "O", "I-X", "O", "Y"};
  std::vector<ConllSentence> sentences;
  for (int i = 0; i < count; ++i) {
    ConllSentence& sentence = sentences.emplace_back();
    sentence.line = i + 1;
    for (int t = 0; t < i * 5 % 9; ++t) {
      sentence.tokens.push_back(words[static_cast<size_t>((i + t) % 4)]);
      sentence.tags.push_back(tags[static_cast<size_t>(i % 7 == 0 ? (i + t) % 5 : t % 2)]);
    }
  }
  return sentences;
}

TEST(TaggerEvaluation, NoBitDependsOnTheBatches) {
  for (const TaggerOptions& options : small_taggers()) {
    const TaggerModel model = small_tagger(options);
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
}

}  // namespace
}  // namespace rondo
