#include "inference/sentence_tagger.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "rondo/tagger.h"
#include "storage/small_tagger.h"
#include "storage/tagger_file.h"
#include "tensor/device.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using Words = std::vector<std::string>;

const std::vector<Words> kSentences = {
    {"Ada", "met", "Ada"}, {}, {"London"}, {"x", "met", "London", "Ada", "?"}};

TEST(SentenceTagger, AnswersAreTheSameBitsAloneAndTogether) {
  for (const TaggerOptions& options : small_taggers()) {
    TaggerModel model = small_tagger(options);
    std::vector<std::vector<TaggedSentence>> by_threads;
    for (const int threads : {1, 2}) {
      const auto backend = open_device("cpu", threads);
      const SentenceTagger tagger(model, *backend, Precision::kFloat32);
      const TagRequest request{.paths = 3, .marginals = true};
      by_threads.push_back(tagger.tag(kSentences, request));
      for (size_t i = 0; i < kSentences.size(); ++i) {
        const TaggedSentence& together = by_threads.back()[i];
        const TaggedSentence alone = tagger.tag(std::span(kSentences).subspan(i, 1), request).front();
        EXPECT_EQ(alone.marginals, together.marginals);
        ASSERT_EQ(alone.paths.size(), together.paths.size());
        for (size_t p = 0; p < alone.paths.size(); ++p) {
          EXPECT_EQ(alone.paths[p].tags, together.paths[p].tags);
          EXPECT_EQ(alone.paths[p].log_probability, together.paths[p].log_probability);
        }
        EXPECT_EQ(tagger.tag(kSentences, {})[i].paths[0].tags, together.paths[0].tags);
      }
    }
    for (size_t i = 0; i < kSentences.size(); ++i) {
      EXPECT_EQ(by_threads[0][i].marginals, by_threads[1][i].marginals);
      EXPECT_EQ(by_threads[0][i].paths[0].log_probability, by_threads[1][i].paths[0].log_probability);
    }
  }
}

TEST(SentenceTagger, ASentenceWithoutWordsHasOnePath) {
  TaggerModel model = small_tagger(small_taggers()[0]);
  const auto backend = open_device("cpu", 1);
  const SentenceTagger tagger(model, *backend, Precision::kFloat32);
  const std::vector<Words> none = {{}, {}};
  const std::vector<TaggedSentence> answers = tagger.tag(none, {.paths = 2, .marginals = true});
  ASSERT_EQ(answers.size(), 2U);
  ASSERT_EQ(answers[1].paths.size(), 1U);
  EXPECT_TRUE(answers[1].paths[0].tags.empty());
  EXPECT_TRUE(answers[1].marginals.empty());
  EXPECT_TRUE(tagger.tag({}, {}).empty());
}

class SavedTagger : public testing::Test {
 protected:
  SavedTagger()
      : path_(std::filesystem::temp_directory_path() / ("rondo-tagger-" + std::to_string(getpid()))) {
    save_tagger(path_, small_tagger(small_taggers()[3]), {});
  }
  ~SavedTagger() override { std::filesystem::remove(path_); }

  std::string path_;
};

TEST_F(SavedTagger, IsAskedByTheRulesOfItsScheme) {
  const Tagger model = Tagger::load(path_, 1);
  EXPECT_THAT(model.labels(), ElementsAre("B-X", "I-X", "O"));  // learnt as B-X E-X O S-X
  const Words words = {"Ada", "met", "London"};
  const std::vector<TagSequence> paths = model.n_best(words, 1000);
  EXPECT_EQ(paths.front().tags, model.tag(words));
  // Each word O or alone, or two neighbours together: 8 + 2 + 2.
  EXPECT_EQ(paths.size(), 12U);
  double sum = 0;
  for (const TagSequence& path : paths) sum += std::exp(path.log_probability);
  EXPECT_NEAR(sum, 1, 1e-4);
  for (const std::vector<float>& row : model.marginals(words)) {
    EXPECT_NEAR(row[0] + row[1] + row[2], 1, 1e-4);
  }
  EXPECT_EQ(model.tag(kSentences)[0], model.tag(kSentences[0]));
  EXPECT_GT(model.parameters(), 0U);
  EXPECT_THROW(model.n_best(words, 0), ConfigError);
  EXPECT_THROW(model.n_best(words, 1001), ConfigError);
  const Words wrong = {"\xFF"};
  EXPECT_THROW(model.tag(wrong), DataError);
  EXPECT_THROW(Tagger::load(path_, 1, "f8"), ConfigError);
}

}  // namespace
}  // namespace rondo
